import { describe, expect, it, vi } from 'vitest'
import type { CallId, Unparsed } from '../../../gateway/exchange.ts'
import type { Recorder } from '../../../gateway/audit/recorder.ts'
import { systemClock } from '../../../gateway/lib/clock.ts'
import { createRecord, createRecordUnparsed } from '../../../gateway/stages/record.ts'
import type { Events } from '../../../gateway/telemetry/events.ts'
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
    },
    clock: systemClock,
  }
}

describe('recording a call', () => {
  it('writes the line and the entry', async () => {
    const parts = dependencies()
    await createRecord(parts)(syntheticCall(), syntheticOutcome())
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
    await createRecord(parts)(syntheticCall(), syntheticOutcome())
    expect(parts.events.faulted).toHaveBeenCalledExactlyOnceWith(cause)
    expect(parts.recorder.conclude).toHaveBeenCalledOnce()
  })

  it('never throws, and counts what could not be put on record', async () => {
    const parts = dependencies()
    const cause = new Error('the audit log failed')
    parts.recorder.conclude.mockRejectedValue(cause)
    await createRecord(parts)(syntheticCall({ callId: 'c' }), syntheticOutcome())
    expect(parts.events.outcomeLost).toHaveBeenCalledExactlyOnceWith('c', cause)
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
