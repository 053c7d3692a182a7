import type { AdmissionAnswer, AdmissionDemand } from '../../../gateway/store/admission-store.ts'

/** One adapter on a clock that the test moves. */
export interface StoreUnderTest extends AsyncDisposable {
  admit(demand: AdmissionDemand): Promise<AdmissionAnswer>
  /** Resolves once every settlement so far is counted. */
  settled(): Promise<void>
  advance(ms: number): Promise<void>
  nowMs(): number
}
