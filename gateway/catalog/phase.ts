import { assertNever } from '../lib/assert-never.ts'
import { hasLookalike } from './fields.ts'
import type { ResourceSources } from './resource.ts'

/**
 * Where in a change a call stands that the vendor makes in steps: `prepare` leaves something that nobody else sees yet (a
 * draft), `commit` puts it in force (publishes it). Most operations are neither.
 */
export type Phase = '' | 'prepare' | 'commit'

/** What a member of the body may be that decides between the two. */
type PhaseValue = string | number | boolean | null

/** The rule as overrides.yaml spells it: always the same phase, or as a member at the top of the body says. */
export type PhaseRule =
  | Exclude<Phase, ''>
  | {
      readonly member: string
      /** Values with which the call only prepares. */
      readonly prepare: readonly PhaseValue[]
      /** What the vendor takes a call for that does not have the member. */
      readonly absent: Exclude<Phase, ''> | 'none'
    }

/**
 * The phase of one call. Whatever the vendor could take for another value than the ones that only prepare (another
 * spelling, a body that cannot be seen, the name in the query) commits.
 */
export function phaseOf(rule: PhaseRule | undefined, { query, body }: ResourceSources): Phase {
  if (rule === undefined) return ''
  if (typeof rule === 'string') return rule
  const { member, prepare, absent } = rule
  if (query.has(member) || hasLookalike(query, member)) return 'commit'
  switch (body.kind) {
    case 'none':
      return absent === 'none' ? '' : absent
    case 'form':
      if (body.fields.has(member) || hasLookalike(body.fields, member)) return 'commit'
      return absent === 'none' ? '' : absent
    case 'json': {
      const { value } = body
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'commit'
      if (!Object.hasOwn(value, member)) return absent === 'none' ? '' : absent
      const given: unknown = Reflect.get(value, member)
      return prepare.some((one) => one === given) ? 'prepare' : 'commit'
    }
    case 'unseen':
      return 'commit'
    default:
      return assertNever(body)
  }
}
