// 25 MB of `[],[],` or `&&&&` is well-formed and within the cap of a body. Reading it held the event loop up for one to
// three seconds, before policy was asked, for every caller of the process.
import { expect, test } from 'vitest'
import { listOf } from '../../gateway/catalog/resource-rule.ts'
import { readFields } from '../../gateway/catalog/fields.ts'
import { parseStrictJson } from '../../gateway/lib/strict-json.ts'
import { startTestGateway } from '../harness/gateway.ts'

const BYTES = 25_000_000

test.each(['[],', '1,', '"a",', '{"a":1},'])('JSON of nothing but %s has too many values', (value) => {
  const text = `[${value.repeat(Math.floor(BYTES / value.length))}0]`
  expect(parseStrictJson(Buffer.from(text), 64)).toEqual({ ok: false, reason: 'there are too many values' })
})

test('commas and brackets within a string are no values', () => {
  const text = JSON.stringify({ content: ',[{\\"'.repeat(200_000) })
  expect(parseStrictJson(Buffer.from(text), 64)).toMatchObject({ ok: true })
})

test('a form of nothing but separators has too many fields', () => {
  expect(readFields('&'.repeat(BYTES))).toEqual({ ok: false, reason: 'too many fields' })
})

test('a long name of a field is refused before it is compared', () => {
  expect(readFields(`${'a.'.repeat(200)}=1`)).toEqual({
    ok: false,
    reason: 'the name of a field is too long',
  })
})

test('blanks of a long value are decoded as those of a short one', () => {
  const reading = readFields(`text=${'a+%2B+é'.repeat(1000)}`)
  expect(reading.ok && reading.fields.get('text')).toEqual(['a + é'.repeat(1000)])
})

test('a list longer than any is one value, which equals no name', () => {
  expect(listOf(','.repeat(BYTES))).toHaveLength(1)
})

test('the caller hears of it as a body that is not valid', async () => {
  await using toolgate = await startTestGateway()
  const answer = await toolgate.send('POST', '/jira/rest/api/3/issue/CHG-18422/comment', {
    body: `{"body":[${'[],'.repeat(200_000)}0]}`,
    headers: { 'content-type': 'application/json' },
  })
  expect(answer).toMatchObject({ status: 400, code: 'request.body_invalid' })
})
