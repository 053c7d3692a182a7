import type { ApprovalId } from '../../approvals/approval.ts'
import type { HeaderList } from '../../lib/header-list.ts'
import { isUuidV7 } from '../../lib/uuid.ts'
import { pass, refuse } from '../../refusal.ts'
import type { Verdict } from '../../refusal.ts'

/** What an agent asks of the gateway itself, beside the call; nothing here is proof of anything. */
export interface Wishes {
  /** `Toolgate-Approval`: the approval that it says it has; empty for none. */
  readonly approval: ApprovalId | ''
  /** `Prefer: wait` (RFC 7240 §4.3): how long it would wait for people; 0 where it would not. */
  readonly waitMs: number
  /** `Prefer: respond-async` (RFC 7240 §4.1): it understands 202. */
  readonly respondAsync: boolean
}

const NO_WISHES: Wishes = { approval: '', waitMs: 0, respondAsync: false }

/** RFC 7240 §2: a name, perhaps a value, perhaps parameters, which no preference of ours has. */
const PREFERENCE = /^[\t ]*([!#$%&'*+.^`|~\w-]+)[\t ]*(?:=[\t ]*(?:"([^"\\]*)"|([^\s";,]*)))?[\t ]*(?:;|$)/
const LONGEST_PREFER = 512
const WAIT_SECONDS = /^[0-9]{1,6}$/

/** Refuses what is not well-formed where it names something; a preference that is not is no preference (RFC 7240 §2). */
export function readWishes(headers: HeaderList): Verdict<Wishes> {
  const names = ['toolgate-approval', 'prefer'] as const
  if (!names.some((name) => headers.has(name))) return pass(NO_WISHES)
  const approval = headers.get('toolgate-approval') ?? ''
  if (headers.count('toolgate-approval') > 1 || (approval !== '' && !isUuidV7(approval)))
    return refuse('request.malformed', { detail: 'Toolgate-Approval is not an id' })
  const preferences = readPreferences(headers.all('prefer'))
  const wait = preferences.get('wait') ?? ''
  return pass({
    approval: approval as ApprovalId | '',
    waitMs: WAIT_SECONDS.test(wait) ? Number(wait) * 1_000 : 0,
    respondAsync: preferences.has('respond-async'),
  })
}

/** By name in lower case; of one that is given twice the first counts (RFC 7240 §2). */
function readPreferences(values: readonly string[]): ReadonlyMap<string, string> {
  const preferences = new Map<string, string>()
  const joined = values.join(',')
  if (joined.length > LONGEST_PREFER) return preferences
  for (const each of joined.split(',')) {
    const [, name, quoted, token] = PREFERENCE.exec(each) ?? []
    const key = name?.toLowerCase()
    if (key !== undefined && !preferences.has(key)) preferences.set(key, quoted ?? token ?? '')
  }
  return preferences
}
