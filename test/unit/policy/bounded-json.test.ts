import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { hasLoneSurrogate, jsonProblem } from '../../../gateway/policy/evaluation/bounded-json.ts'

const BOUNDS = { maxDepth: 64, maxValues: 8192 }

test('whatever JSON.parse gives, within bounds, is no problem', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 10 }), (text) => {
      expect(jsonProblem(JSON.parse(text), BOUNDS)).toBeUndefined()
    }),
  )
})

test('a name that means something to objects is no problem, and stays what it was', () => {
  const value: unknown = JSON.parse('{"__proto__":{"admin":true},"constructor":1,"toJSON":2}')
  expect(jsonProblem(value, BOUNDS)).toBeUndefined()
  expect(JSON.stringify(value)).toBe('{"__proto__":{"admin":true},"constructor":1,"toJSON":2}')
})

test('lone surrogates are found wherever they are, and nothing else is taken for one', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
      (text) => {
        expect(hasLoneSurrogate(JSON.stringify({ [text]: [text] }))).toBe(!text.isWellFormed())
      },
    ),
  )
  fc.assert(
    fc.property(fc.array(fc.constantFrom('\\', 'u', 'd', '8', '0', '\ud800', '\udc00', '"')), (units) => {
      const text = units.join('')
      expect(hasLoneSurrogate(JSON.stringify(text))).toBe(!text.isWellFormed())
    }),
  )
})
