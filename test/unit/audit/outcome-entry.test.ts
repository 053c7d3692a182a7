import { describe, expect, it } from 'vitest'
import type { CallId } from '../../../gateway/exchange.ts'
import { GatewayFault } from '../../../gateway/fault.ts'
import { syntheticCall, syntheticOutcome, syntheticSealed } from '../../harness/synthetic-call.ts'
import { entries, memoryLog, recorderOn } from './memory-log.ts'

describe('an outcome', () => {
  it('after an intent says how it ended and no more', async () => {
    const log = memoryLog()
    const openCalls = new Set<string>()
    const recorder = recorderOn(log, openCalls)
    const sealed = syntheticSealed()
    await recorder.intend(sealed)
    expect(openCalls.size).toBe(1)
    await recorder.conclude(sealed.permit.call, syntheticOutcome())
    expect(openCalls.size).toBe(0)
    const outcome = entries(log)[1]
    expect(outcome).toMatchObject({
      type: 'outcome',
      call: sealed.permit.call.arrival.callId,
      outcome: 'allowed',
      status: 200,
      upstream: { status: 200, ms: 12 },
    })
    expect(outcome).not.toHaveProperty('who')
  })

  it('of a call refused by policy is one entry with everything known', async () => {
    const log = memoryLog()
    const { decision, policy, ...call } = syntheticCall({ callId: 'refused' })
    const reasons = [{ code: 'group.not_allowed', rule: 'R010', detail: 'sre' }] as const
    const decidedBy = { digest: 'sha256:that-decided', revision: 'then', risk: 7 }
    await recorderOn(log).conclude(call, syntheticOutcome({ code: 'policy.denied', reasons, decidedBy }))
    expect(entries(log)).toMatchObject([
      {
        type: 'outcome',
        call: 'refused',
        outcome: 'policy.denied',
        who: { principal: 'mira' },
        what: { operation: 'github.pulls/get' },
        resource: { repository: 'zyx/platform-infra' },
        policy: { digest: 'sha256:that-decided', revision: 'then' },
        risk: 7,
        reasons,
      },
    ])
    expect([decision.allow, policy.revision]).toEqual([true, '2026-11-21.1'])
  })

  it('of a call refused at the door is one entry', async () => {
    const log = memoryLog()
    const { arrival } = syntheticCall({ callId: 'at the door' })
    await recorderOn(log).conclude({ arrival }, syntheticOutcome({ code: 'request.ambiguous', status: 400 }))
    expect(entries(log)).toMatchObject([{ call: 'at the door', outcome: 'request.ambiguous', status: 400 }])
  })

  it('of what was no request is one entry', async () => {
    const log = memoryLog()
    await recorderOn(log).concludeUnparsed({
      callId: 'u' as CallId,
      receivedAtMs: 0,
      peerAddress: '192.0.2.7',
      refusal: { code: 'request.malformed', detail: 'HPE_INVALID_METHOD' },
      status: 400,
    })
    expect(entries(log)).toMatchObject([
      { call: 'u', outcome: 'request.malformed', peer: '192.0.2.7', detail: 'HPE_INVALID_METHOD' },
    ])
  })

  it('keeps the call open when it could not be put on record', async () => {
    const log = memoryLog()
    const openCalls = new Set<string>()
    const recorder = recorderOn(log, openCalls)
    const sealed = syntheticSealed()
    await recorder.intend(sealed)
    log.failing = true
    await expect(recorder.conclude(sealed.permit.call, syntheticOutcome())).rejects.toThrow(GatewayFault)
    expect(openCalls.size).toBe(1)
  })
})
