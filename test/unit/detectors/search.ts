import {
  FINDING_KINDS,
  FINDING_NAMES,
  FoundNames,
  type Findings,
} from '../../../gateway/detectors/findings.ts'
import { planSearch, type SearchOptions } from '../../../gateway/detectors/search-plan.ts'
import { searchText } from '../../../gateway/detectors/text-search.ts'

const EVERYTHING: SearchOptions = {
  kinds: new Set(FINDING_KINDS),
  pii: FINDING_NAMES.pii,
  entropy: false,
}

export function planFor(options: Partial<SearchOptions> = {}): ReturnType<typeof planSearch> {
  return planSearch({ ...EVERYTHING, ...options })
}

const PLAN = planFor()

export function search(text: string, plan = PLAN): Findings {
  const found = new FoundNames()
  searchText(plan, text, found)
  return found.findings()
}

/** Names of all kinds. */
export function namesIn(text: string, plan = PLAN): readonly string[] {
  const { secrets, pii, injection } = search(text, plan)
  return [...secrets, ...pii, ...injection]
}
