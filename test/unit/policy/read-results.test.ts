import { expect, test } from 'vitest'
import { createDecisionReader } from '../../../gateway/policy/evaluation/read-results.ts'

const DENY = '[{"result":{"allow":false,"risk":0,"reasons":[],"obligations":[]}}]'

test('the same text is the same decision, which nobody can change', () => {
  const read = createDecisionReader()
  const first = read(DENY)
  expect(read(DENY.slice(0, 10) + DENY.slice(10))).toBe(first)
  if (!first.ok) throw new Error(first.problem)
  expect(() => Object.assign(first.decision, { allow: true })).toThrow(TypeError)
  expect(() => (first.decision.reasons as unknown[]).push({})).toThrow(TypeError)
})

test('texts that differ are never taken for each other, however many there are', () => {
  const read = createDecisionReader()
  for (const round of [1, 2]) {
    for (let count = 0; count < 1200; count += 1) {
      const risk = count / 1200
      expect(read(DENY.replace('"risk":0', `"risk":${risk}`)), `round ${round}`).toMatchObject({
        ok: true,
        decision: { risk },
      })
    }
  }
})

test.each([
  ['no text at all', ''],
  ['half a text', DENY.slice(0, -1)],
  ['bytes that are not UTF-8', DENY.replace('[]', '["\u00ff"]')],
])('%s is no decision', (_, bytes) => {
  expect(createDecisionReader()(bytes)).toMatchObject({ ok: false })
})
