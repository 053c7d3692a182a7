import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { CallId } from '../../../gateway/exchange.ts'
import { ENTRY_LIMIT_BYTES } from '../../../gateway/audit/audit-log.ts'
import { decodeEntry } from '../../../gateway/audit/entry.ts'
import { openEntries } from '../../../gateway/audit/recorder.ts'
import { canonicalJson } from '../../../gateway/policy/bundles/canonical-json.ts'
import { syntheticCall, syntheticOutcome, syntheticSealed } from '../../harness/synthetic-call.ts'
import { memoryLog, recorderOn } from './memory-log.ts'

describe('an entry', () => {
  it('is canonical JSON (RFC 8785), of a call allowed, concluded, denied and turned away', async () => {
    const log = memoryLog()
    const recorder = recorderOn(log)
    const sealed = syntheticSealed({ body: '{}', declared: { rationale: 'ünicode “quotes”' } })
    await recorder.intend(sealed)
    await recorder.conclude(sealed.permit.call, syntheticOutcome())
    await recorder.conclude(sealed.permit.call, syntheticOutcome({ code: 'policy.denied' }))
    await recorder.conclude({ arrival: sealed.permit.call.arrival }, syntheticOutcome({ code: 'limit.rate' }))
    const unparsed = { callId: 'u' as CallId, receivedAtMs: 0, peerAddress: '::1', status: 400 }
    await recorder.concludeUnparsed({ ...unparsed, refusal: { code: 'request.malformed' } })
    const texts = log.appended
      .map(({ bytes }) => bytes.toString())
      .concat(openEntries(new Set('a'), 0).map(String))
    expect(texts.length).toBe(6)
    expect(texts).toEqual(texts.map(canonicalJson))
  })

  it('fits whatever a caller sends', async () => {
    const log = memoryLog()
    const worst = '\ud800\u0000"\\語'.repeat(20_000)
    const recorder = recorderOn(log)
    const declared = { task: worst, ticket: worst, rationale: worst, rollbackPlan: worst }
    const resource = { project: worst, repository: worst, channel: worst, account: worst }
    const agent = { id: worst, issuer: worst, binding: 'dpop', key: worst } as const
    const caller = {
      agent,
      principal: {
        id: worst,
        groups: [],
        deviceCompliant: true,
        act: Array.from({ length: 500 }, () => worst),
      },
      tenant: worst,
      tokenId: worst,
    }
    const sealed = syntheticSealed({ declared, resource, caller })
    expect(await recorder.intend(sealed)).toMatchObject({ ok: true })
    const reasons = Array.from(
      { length: 500 },
      () => ({ code: 'agent.unknown', rule: worst, detail: worst }) as const,
    )
    const { arrival, ...rest } = syntheticCall({ declared, resource, caller })
    await recorder.conclude(
      { arrival, ...rest },
      syntheticOutcome({ code: 'policy.denied', reasons, detail: worst }),
    )
    expect(log.appended.length).toBe(2)
    for (const { bytes } of log.appended) expect(bytes.length).toBeLessThan(ENTRY_LIMIT_BYTES)
  })

  it('of open calls never holds more than fits', () => {
    const openCalls = new Set(Array.from({ length: 2_500 }, () => randomBytes(18).toString('hex')))
    const parts = openEntries(openCalls, 0)
    expect(parts.length).toBe(3)
    for (const part of parts) expect(part.length).toBeLessThan(ENTRY_LIMIT_BYTES)
    const calls = parts.flatMap((part) => {
      const entry = decodeEntry(part)
      return entry?.type === 'open' ? entry.calls : []
    })
    expect(new Set(calls)).toEqual(openCalls)
  })
})
