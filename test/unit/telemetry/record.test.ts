import { describe, expect, it, vi } from 'vitest'
import type { ApprovalId } from '../../../gateway/approvals/approval.ts'
import type { Reviews } from '../../../gateway/approvals/reviews.ts'
import type { Detections } from '../../../gateway/detections/detections.ts'
import type { CallId, Unparsed } from '../../../gateway/exchange.ts'
import type { Recorder } from '../../../gateway/audit/recorder.ts'
import { systemClock } from '../../../gateway/lib/clock.ts'
import { createRecord } from '../../../gateway/stages/record.ts'
import { createRecordUnparsed } from '../../../gateway/stages/record-unparsed.ts'
import type { Events } from '../../../gateway/telemetry/events.ts'
import type { PartEvents } from '../../../gateway/telemetry/part-events.ts'
import type { Notify } from '../../../gateway/notify/event.ts'
import type { Obligation } from '../../../gateway/policy/decision.ts'
import { syntheticCall, syntheticOutcome } from '../../harness/synthetic-call.ts'

const UNPARSED: Unparsed = {
  callId: 'u' as CallId,
  receivedAtMs: 0,
  peerAddress: '192.0.2.1',
  refusal: { code: 'request.malformed' },
  status: 400,
}

function dependencies() {
  return {
    recorder: {
      conclude: vi.fn<Recorder['conclude']>().mockResolvedValue(undefined),
      concludeUnparsed: vi.fn<Recorder['concludeUnparsed']>().mockResolvedValue(undefined),
    },
    events: {
      callFinished: vi.fn<Events['callFinished']>(),
      requestUnparsed: vi.fn<Events['requestUnparsed']>(),
      outcomeLost: vi.fn<Events['outcomeLost']>(),
      faulted: vi.fn<Events['faulted']>(),
      obligationEnded: vi.fn<PartEvents['obligationEnded']>(),
    },
    notify: vi.fn<Notify>(),
    detections: { callEnded: vi.fn<Detections['callEnded']>() },
    reviews: { withdraw: vi.fn<Reviews['withdraw']>() },
    clock: systemClock,
  }
}

describe('recording a call', () => {
  it('writes the line and the entry', async () => {
    const parts = dependencies()
    await createRecord(parts)(syntheticCall(), syntheticOutcome(), true)
    expect(parts.events.callFinished).toHaveBeenCalledOnce()
    expect(parts.recorder.conclude).toHaveBeenCalledOnce()
    expect(parts.events.outcomeLost).not.toHaveBeenCalled()
  })

  it('writes the entry even when the line cannot be written, and says so', async () => {
    const parts = dependencies()
    const cause = new TypeError('not a value of this label')
    parts.events.callFinished.mockImplementation(() => {
      throw cause
    })
    await createRecord(parts)(syntheticCall(), syntheticOutcome(), true)
    expect(parts.events.faulted).toHaveBeenCalledExactlyOnceWith(cause)
    expect(parts.recorder.conclude).toHaveBeenCalledOnce()
  })

  it('takes the review back of a call that was not made, and of no other', async () => {
    const parts = dependencies()
    const call = { ...syntheticCall(), review: 'review-1' as ApprovalId }
    await createRecord(parts)(call, syntheticOutcome(), true)
    expect(parts.reviews.withdraw).not.toHaveBeenCalled()
    await createRecord(parts)(call, syntheticOutcome(), false)
    expect(parts.reviews.withdraw).toHaveBeenCalledExactlyOnceWith('review-1')
  })

  it('never throws, and counts what could not be put on record', async () => {
    const parts = dependencies()
    const cause = new Error('the audit log failed')
    parts.recorder.conclude.mockRejectedValue(cause)
    await createRecord(parts)(syntheticCall({ callId: 'c' }), syntheticOutcome(), true)
    expect(parts.events.outcomeLost).toHaveBeenCalledExactlyOnceWith('c', cause)
  })

  const notify: Obligation = { id: 'R1', type: 'notify', properties: { groups: ['soc'] } }
  const redact: Obligation = { id: 'R2', type: 'redact', properties: { pointers: ['/a'] } }
  const demanding = (...obligations: Obligation[]): ReturnType<typeof syntheticCall> => {
    const call = syntheticCall()
    return { ...call, decision: { ...call.decision, obligations } }
  }

  it('tells of each obligation once, and puts on record those that were carried out', async () => {
    const parts = dependencies()
    const call = demanding(notify, redact)
    await createRecord(parts)(call, syntheticOutcome({ redacted: 0 }), true)
    expect(parts.events.obligationEnded.mock.calls.map(([, , { id }, result]) => [id, result])).toEqual([
      ['R1', 'met'],
      ['R2', 'met'],
    ])
    expect(parts.recorder.conclude.mock.lastCall?.[1]).toMatchObject({ obligations: ['R1', 'R2'] })
    expect(parts.notify).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({
        type: 'policy.notice',
        groups: ['soc'],
        obligation: 'R1',
        outcome: 'allowed',
      }),
    )
  })

  it('does not call a redaction carried out that was not, and still tells', async () => {
    const parts = dependencies()
    const call = demanding(notify, redact)
    await createRecord(parts)(call, syntheticOutcome({ code: 'policy.answer_withheld' }), true)
    await createRecord(parts)(call, syntheticOutcome({ code: 'upstream.timeout' }), true)
    const results = parts.events.obligationEnded.mock.calls.map(([, , , result]) => result)
    expect(results).toEqual(['met', 'withheld', 'met', 'moot'])
    expect(parts.recorder.conclude.mock.lastCall?.[1]).toMatchObject({ obligations: ['R1'] })
  })

  it('tells nobody of a call that was never sent', async () => {
    const parts = dependencies()
    await createRecord(parts)(demanding(notify), syntheticOutcome({ code: 'approval.required' }), false)
    expect(parts.events.obligationEnded).not.toHaveBeenCalled()
    expect(parts.notify).not.toHaveBeenCalled()
    expect(parts.recorder.conclude.mock.lastCall?.[1]).not.toHaveProperty('obligations')
  })

  it('writes the entry even when telling fails, without what was not told', async () => {
    const parts = dependencies()
    parts.events.obligationEnded.mockImplementation(() => {
      throw new TypeError('not a value of this label')
    })
    await createRecord(parts)(demanding(notify), syntheticOutcome(), true)
    expect(parts.events.faulted).toHaveBeenCalledOnce()
    expect(parts.recorder.conclude.mock.lastCall?.[1]).not.toHaveProperty('obligations')
  })

  it('does the same for what was no request', async () => {
    const parts = dependencies()
    await createRecordUnparsed(parts)(UNPARSED)
    expect(parts.events.requestUnparsed).toHaveBeenCalledExactlyOnceWith(UNPARSED)
    expect(parts.recorder.concludeUnparsed).toHaveBeenCalledExactlyOnceWith(UNPARSED)
    parts.recorder.concludeUnparsed.mockRejectedValue(new Error('full'))
    await createRecordUnparsed(parts)(UNPARSED)
    expect(parts.events.outcomeLost).toHaveBeenCalledOnce()
  })
})
