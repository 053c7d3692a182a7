// Bytes that go into the module unparsed are read by its own parser, which takes what others refuse: what is behind the
// end, a comma too many, the last of two members. Whoever forwards those bytes has another request judged than sent.
import { expect, test } from 'vitest'
import { parseStrictJson } from '../../gateway/lib/strict-json.ts'
import { bareSdk, compileRules } from '../harness/opa.ts'

const bundle = compileRules('decision := object.get(input, "tool", "none")')
const bytesOf = (json: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(json)

test.each([
  ['text behind the end', '{"tool":"read"} {"tool":"rm"}', 'read'],
  ['a comma too many', '{"tool":["read",]}', ['read']],
  ['a member twice', '{"tool":"read","tool":"rm"}', 'rm'],
  ['a mark before it, which makes it no input at all', '\ufeff{"tool":"rm"}', undefined],
])('the bare SDK decides on %s; the gateway does not read such a body', async (_, json, result) => {
  const sdk = await bareSdk(await bundle)
  const decided: unknown = sdk.evaluate(bytesOf(json).buffer)
  expect(decided).toEqual(result === undefined ? [] : [{ result }])
  expect(parseStrictJson(bytesOf(json), 64)).toMatchObject({ ok: false })
})

test('the bare SDK throws on bytes that are not UTF-8; the gateway does not read such a body', async () => {
  const sdk = await bareSdk(await bundle)
  const bytes = Buffer.from('7b22746f6f6c223a22ff227d', 'hex')
  expect(() => sdk.evaluate(new Uint8Array(bytes).buffer)).toThrow(/illegal/)
  expect(parseStrictJson(bytes, 64)).toMatchObject({ ok: false })
})
