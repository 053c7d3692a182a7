import { expect, test } from 'vitest'
import { PolicyBreaker, type ProvenAgent } from '../../../gateway/limits/policy-breaker.ts'

const SETTINGS = { failures: 3, windowMs: 60_000, openMs: 10_000 }
const MALLORY = { tenant: 'zyx-bank', issuer: 'https://issuer.example', id: 'mallory' }

function create(): { breaker: PolicyBreaker; opened: ProvenAgent[] } {
  const opened: ProvenAgent[] = []
  return { breaker: new PolicyBreaker(SETTINGS, (agent) => opened.push(agent)), opened }
}

test('stops an agent at as many failures as are set, for as long as is set', () => {
  const { breaker, opened } = create()
  for (const nowMs of [1_000, 2_000]) breaker.failed(MALLORY, nowMs)
  expect(breaker.retryAfterMs(MALLORY, 2_500)).toBe(0)
  breaker.failed(MALLORY, 3_000)
  expect(breaker.retryAfterMs(MALLORY, 3_000)).toBe(10_000)
  expect(breaker.retryAfterMs(MALLORY, 12_999.5)).toBe(1)
  expect(breaker.retryAfterMs(MALLORY, 13_000)).toBe(0)
  expect(opened).toEqual([MALLORY])
})

test('stops an agent again at the next failure, while the window still has the others', () => {
  const { breaker, opened } = create()
  for (const nowMs of [1_000, 2_000, 3_000, 20_000]) breaker.failed(MALLORY, nowMs)
  expect(breaker.retryAfterMs(MALLORY, 20_000)).toBe(10_000)
  expect(opened).toHaveLength(2)
})

test('forgets failures that are older than the window', () => {
  const { breaker } = create()
  for (const nowMs of [1_000, 2_000, 90_000]) breaker.failed(MALLORY, nowMs)
  expect(breaker.retryAfterMs(MALLORY, 90_000)).toBe(0)
})

test('failures of calls that were already being evaluated do not stop an agent for longer', () => {
  const { breaker, opened } = create()
  for (const nowMs of [1_000, 2_000, 3_000, 4_000, 5_000]) breaker.failed(MALLORY, nowMs)
  expect(breaker.retryAfterMs(MALLORY, 5_000)).toBe(8_000)
  expect(opened).toHaveLength(1)
})

test.each([
  ['the name', { id: 'alice' }],
  ['the issuer', { issuer: 'https://other.example' }],
  ['the tenant', { tenant: 'other-bank' }],
  ['where one part ends', { tenant: 'zyx-bank","https:', issuer: '//issuer.example' }],
])('tells agents apart by %s', (_, other) => {
  const { breaker } = create()
  for (const nowMs of [1_000, 2_000, 3_000]) breaker.failed(MALLORY, nowMs)
  expect(breaker.retryAfterMs({ ...MALLORY, ...other }, 3_000)).toBe(0)
})

test('remembers no more agents than its bound, the latest of them', () => {
  const { breaker } = create()
  for (let count = 0; count < 20_000; count += 1) {
    breaker.failed({ ...MALLORY, id: `agent-${count}` }, 1_000)
  }
  for (const nowMs of [2_000, 3_000]) breaker.failed({ ...MALLORY, id: 'agent-19999' }, nowMs)
  expect(breaker.retryAfterMs({ ...MALLORY, id: 'agent-19999' }, 3_000)).toBe(10_000)
  for (const nowMs of [2_000, 3_000]) breaker.failed({ ...MALLORY, id: 'agent-0' }, nowMs)
  expect(breaker.retryAfterMs({ ...MALLORY, id: 'agent-0' }, 3_000)).toBe(0)
})
