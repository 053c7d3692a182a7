import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyPart } from '../../../gateway/limits/key-part.ts'

describe('keyPart', () => {
  it.each(['zyx', 'github.pulls/get', 'mira@zyx.example', 'a-b_c.d'])('leaves %s as it is', (name) => {
    expect(keyPart(name)).toBe(name)
  })

  it.each([
    ['zyx}:r:burst', 'zyx%7d;%3a;r%3a;burst'],
    ['{other}', '%7b;other%7d;'],
    ['a b\r\nDEL', 'a%20;b%d;%a;DEL'],
    ['', '%'],
    ['%', '%25;'],
    ['%g', '%25;g'],
    ['é', '%e9;'],
  ])('writes %j as %s', (name, part) => {
    expect(keyPart(name)).toBe(part)
  })

  it('lets no two names meet, lone surrogates and long names included', () => {
    const names = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({
        unit: fc.constantFrom('a', '%', ':', '{', '}', ';', '2', '5', '\ud800', '\udc00', 'h'),
        maxLength: 200,
      }),
    )
    fc.assert(
      fc.property(names, names, (one, other) => {
        expect(keyPart(one) === keyPart(other)).toBe(one === other)
        expect(keyPart(one)).toMatch(/^[A-Za-z0-9_.@/%;-]{1,1200}$/)
      }),
      { numRuns: 2_000 },
    )
    expect(keyPart('\ud800')).not.toBe(keyPart('\ud801'))
    expect(keyPart(`${'x'.repeat(200)}\ud800`)).not.toBe(keyPart(`${'x'.repeat(200)}\ud801`))
  })

  it('keeps keys short for any name', () => {
    expect(keyPart('x'.repeat(16_384))).toHaveLength(45)
  })
})
