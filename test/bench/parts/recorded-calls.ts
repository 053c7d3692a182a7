import { randomUUID } from 'node:crypto'
import { openAudit } from '../../../gateway/audit/open-audit.ts'
import type { Sealed } from '../../../gateway/exchange.ts'
import { auditConfig } from '../../harness/audit-config.ts'
import { permitted } from '../../harness/permitted.ts'
import { syntheticOutcome, syntheticSealed } from '../../harness/synthetic-call.ts'
import { temporaryDirectory } from '../../harness/temporary-directory.ts'

export const DECLARED = {
  task: 'T-1',
  ticket: 'CHG-18422',
  rationale: 'review of the pull request',
  rollbackPlan: '',
}
/** Of the log as it comes. */
export const SEGMENT_LIMIT_BYTES = 67_108_864

export interface RunningRecorder extends AsyncDisposable {
  /** Intent, then outcome, of so many calls at once. */
  record(calls: number): Promise<void>
}

/** An audit log of its own, and calls of one kind to write into it. */
export async function startRecorder(access: 'read' | 'write'): Promise<RunningRecorder> {
  await using stack = new AsyncDisposableStack()
  const directory = stack.use(await temporaryDirectory())
  const config = auditConfig(directory.path, { segmentLimitBytes: SEGMENT_LIMIT_BYTES })
  const { recorder } = stack.use(await openAudit({ config, node: 'bench', version: '0' }))
  const body = access === 'read' ? '' : '{"a":1}'
  const template = syntheticSealed({ access, declared: DECLARED, body })
  const outcome = syntheticOutcome()
  const recordOne = async (): Promise<void> => {
    const sealed = withNewId(template)
    const verdict = await recorder.intend(sealed)
    if (!verdict.ok) throw new Error(verdict.refusal.code)
    await recorder.conclude(sealed.permit.call, outcome)
  }
  const owned = stack.move()
  return {
    record: async (calls) => void (await Promise.all(Array.from({ length: calls }, recordOne))),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** The same call under another id: making a whole one would be measured too. */
export function withNewId(template: Sealed): Sealed {
  const { call } = template.permit
  const renamed = {
    ...call,
    arrival: { ...call.arrival, callId: randomUUID() as string as typeof call.arrival.callId },
  }
  return { ...template, permit: permitted(renamed) }
}
