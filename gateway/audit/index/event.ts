import { assertNever } from '../../lib/assert-never.ts'
import { parseScope } from '../../locks/scope.ts'
import type { ActorFields } from '../entry-fields.ts'
import type { AuditEntry } from '../entry.ts'

/** An entry that is not of a call: what people did, what was seen, what was in force. */
export type EventEntry = Exclude<
  AuditEntry,
  { readonly type: 'decision' | 'outcome' | 'shadow' | 'open' | 'checkpoint' }
>

/** In the order in which they are told of. */
export const EVENT_TYPES = [
  'approval',
  'lock',
  'detection',
  'channel',
  'policy',
  'config',
  'key',
  'recovery',
  'prune',
  'start',
  'stop',
] as const satisfies readonly EventEntry['type'][]
export type EventType = EventEntry['type']

const TYPES: ReadonlySet<string> = new Set(EVENT_TYPES)

export function isEvent(entry: AuditEntry): entry is EventEntry {
  return TYPES.has(entry.type)
}

/** As what an event names somebody or something: what it can be found by. */
export type MentionRole =
  | 'agent'
  | 'approval'
  | 'call'
  | 'detection'
  | 'lock'
  | 'operation'
  | 'person'
  | 'principal'
  | 'scope'
  | 'task'
  | 'tenant'
export type Mention = readonly [role: MentionRole, name: string]

export function mentionsOf(entry: EventEntry): readonly Mention[] {
  return named(entry).filter((each): each is Mention => each[1] !== undefined && each[1] !== '')
}

function named(entry: EventEntry): readonly (readonly [MentionRole, string | undefined])[] {
  switch (entry.type) {
    case 'approval': {
      const { agent, approval, by, call, operation, principal, task, tenant } = entry
      return [
        ['agent', agent],
        ['approval', approval],
        ['call', call],
        ['operation', operation],
        ['person', personIn(by)],
        ['principal', principal],
        ['task', task],
        ['tenant', tenant],
      ]
    }
    case 'lock': {
      const { by, lock, scope } = entry
      return [['lock', lock], ['person', personIn(by)], ['scope', scope], ...namesIn(scope)]
    }
    case 'detection': {
      const { agent, id, last_call: call, lock, operation, principal, subject, tenant } = entry
      return [
        ['agent', agent],
        ['call', call],
        ['detection', id],
        ['lock', lock?.id],
        ['operation', operation],
        ['principal', principal],
        ['tenant', tenant],
        // An address is nobody in particular.
        ...(subject.kind === 'peer' ? [] : ([[subject.kind, subject.name]] as const)),
      ]
    }
    case 'channel':
      return [['person', personIn(entry.by)]]
    case 'policy':
    case 'config':
    case 'key':
    case 'recovery':
    case 'prune':
    case 'start':
    case 'stop':
      return []
    default:
      return assertNever(entry)
  }
}

function personIn(by: ActorFields | undefined): string | undefined {
  return by?.kind === 'person' ? by.id : undefined
}

/** Whom a lock is about, whoever issued the name. */
function namesIn(text: string): readonly Mention[] {
  const scope = parseScope(text)
  switch (scope?.kind) {
    case 'agent':
    case 'operation':
    case 'principal':
    case 'task':
    case 'tenant':
      return [[scope.kind, scope.name]]
    default:
      return []
  }
}
