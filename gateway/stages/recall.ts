import type { DataClass } from '../catalog/connector.ts'
import type { ReadCall } from '../exchange.ts'
import { pass, refuse, type Verdict } from '../refusal.ts'
import { UNAVAILABLE_RETRY_MS } from '../store/admission-store.ts'

/**
 * Looks once more at what the agent did, for a call whose body came after its admission: an agent could begin to post,
 * read what it must not post, and only then write it into the body. Costs a trip to Redis where the body was late, and
 * nothing else.
 */
export function createRecall(
  dataClasses: (operations: readonly string[]) => readonly DataClass[],
): (call: ReadCall) => Verdict<ReadCall> | Promise<Verdict<ReadCall>> {
  return (call) => {
    if (!call.late) return pass(call)
    const recalled = (operations1h: readonly string[]): Verdict<ReadCall> =>
      pass({
        ...call,
        history: { ...call.history, operations1h },
        dataClasses1h: dataClasses(operations1h),
      })
    const operations = call.recall()
    if (!(operations instanceof Promise)) return recalled(operations)
    return operations.then(recalled, (cause: unknown) =>
      refuse('store.unavailable', { retryAfterMs: UNAVAILABLE_RETRY_MS, cause }),
    )
  }
}
