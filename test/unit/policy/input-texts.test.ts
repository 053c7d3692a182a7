import { describe, expect, it } from 'vitest'
import { inputFrom } from '../../../gateway/audit/disclosures/disclose-call.ts'
import { NOBODY } from '../../../gateway/policy/evaluation/self-test.ts'
import type { PolicyInput } from '../../../gateway/policy/input.ts'
import { inputText, inputTexts } from '../../../gateway/policy/input-texts.ts'

/** With members of the caller's own making that mean something to JavaScript. */
function peculiar(): PolicyInput {
  const body = JSON.parse(
    '{"__proto__": {"declared": 1}, "toJSON": "}", "a": "\\ud800\\u2028\\"\\\\"}',
  ) as Record<string, unknown>
  return {
    ...NOBODY,
    authorization_details: [body],
    params: { ...NOBODY.params, body, query: { declared: ',"params":{}' } },
    declared: { ...NOBODY.declared, rationale: '"},"declared":{"task":"x' },
  }
}

describe('the texts of an input', () => {
  it('are together the input, whatever the caller writes', () => {
    expect(JSON.parse(inputText(peculiar()))).toStrictEqual(JSON.parse(JSON.stringify(peculiar())))
  })

  it('are the parts that the record puts together again', () => {
    const { facts, declared, params } = inputTexts(peculiar())
    const parts = new Map(
      Object.entries({ input: facts, 'input.declared': declared, 'input.params': params }).map(
        ([path, text]): [string, unknown] => [path, JSON.parse(text)],
      ),
    )
    expect(inputFrom(parts, true)).toStrictEqual(JSON.parse(JSON.stringify(peculiar())))
  })

  it('are written once', () => {
    const input = peculiar()
    expect(inputTexts(input)).toBe(inputTexts(input))
  })

  it('are those of this very input, though another was equal to it', () => {
    const [one, other] = [peculiar(), { ...peculiar(), tenant: 'another' }]
    inputTexts(one)
    expect(inputTexts(other).facts).toContain('"tenant":"another"')
  })

  it('do not go along with a copy that is then another input', () => {
    const input = peculiar()
    inputTexts(input)
    for (const copy of [{ ...input, tenant: 'another' }, Object.assign({}, input, { tenant: 'another' })])
      expect(inputTexts(copy).facts).toContain('"tenant":"another"')
  })

  it('are no part of the input', () => {
    const input = peculiar()
    inputTexts(input)
    expect(input).toStrictEqual(peculiar())
    expect(JSON.stringify(input)).toBe(JSON.stringify(peculiar()))
    expect(structuredClone(input)).toStrictEqual(peculiar())
  })

  it('are not kept of what JSON cannot write', () => {
    const unwritable = { ...NOBODY, params: { ...NOBODY.params, body: { n: 1n } } }
    for (const _attempt of [1, 2]) expect(() => inputText(unwritable)).toThrow(TypeError)
  })
})
