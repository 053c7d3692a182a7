import { describe } from 'vitest'
import { describeHistory, describeRecentOperations, describeTasks } from './admission-history-contract.ts'
import {
  describeAgentBreaker,
  describeConcurrency,
  describeLimits,
  describeReplay,
} from './admission-limits-contract.ts'
import type { StoreUnderTest } from './admission-store-under-test.ts'

/** What every admission store has to do, whatever it is made of. */
export function describeAdmissionStore(name: string, start: () => Promise<StoreUnderTest>): void {
  describe(`admission by ${name}`, () => {
    describeReplay(start)
    describeLimits(start)
    describeConcurrency(start)
    describeAgentBreaker(start)
    describeHistory(start)
    describeTasks(start)
    describeRecentOperations(start)
  })
}
