import type { Clock } from '../lib/clock.ts'
import type { AdmissionAnswer, AdmissionStore } from '../store/admission-store.ts'

/** The same store, telling how long each of its answers took, in milliseconds. */
export function timedAdmission(
  store: AdmissionStore,
  clock: Pick<Clock, 'monotonicMs'>,
  observe: (elapsedMs: number) => void,
): AdmissionStore {
  return {
    admit(demand) {
      const startedMs = clock.monotonicMs()
      const answered = (answer: AdmissionAnswer): AdmissionAnswer => {
        observe(clock.monotonicMs() - startedMs)
        return answer
      }
      const answer = store.admit(demand)
      // What comes from memory stays synchronous.
      return answer instanceof Promise ? answer.then(answered) : answered(answer)
    },
    close: () => store.close(),
  }
}
