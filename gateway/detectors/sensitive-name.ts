import { FINDING_NAMES, FoundNames, isNothing } from './findings.ts'
import { planSearch } from './search-plan.ts'
import { searchText } from './text-search.ts'

const PLAN = planSearch({ kinds: new Set(['secrets', 'pii']), pii: FINDING_NAMES.pii, entropy: false })

/**
 * Whether a name is that of a person, an account or a secret, whatever it stands for in its API. The record goes by this
 * also where `detectors` of toolgate.yaml look for nothing: what is once in a log that cannot forget stays there.
 */
export function isSensitiveName(text: string): boolean {
  const found = new FoundNames()
  searchText(PLAN, text, found)
  return !isNothing(found.findings())
}
