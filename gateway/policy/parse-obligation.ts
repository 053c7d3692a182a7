import type { Obligation, ObligationType } from './decision.ts'
import { expectCount, expectKeys, expectText, expectTexts, Unexpected } from './expect.ts'

const MAX_GROUPS = 32
const MAX_EXCLUDED = 32
const MAX_POINTERS = 256
/** RFC 6901 §3, and never the empty one, which names all of the answer. */
const JSON_POINTER = /^(?:\/(?:[^/~]|~[01])*)+$/
const MAX_SECONDS = 30 * 24 * 3600

/** Reads one obligation. One that is not known, or not whole, makes the decision invalid. */
export function parseObligation(untrusted: unknown): Obligation {
  const obligation = expectKeys(untrusted, 'an obligation', ['id', 'properties', 'type'])
  const id = expectText(obligation.id, 'an obligation id', 64)
  const type = expectText(obligation.type, 'an obligation type', 64)
  const parse = PARSERS.get(type)
  if (parse === undefined) throw new Unexpected(`${JSON.stringify(type)} is not a known obligation type`)
  return parse(id, obligation.properties)
}

const PARSERS: ReadonlyMap<string, (id: string, properties: unknown) => Obligation> = new Map(
  Object.entries({
    approval,
    cap_bytes: capBytes,
    redact,
    post_review: postReview,
    notify,
    limit,
  } satisfies Record<ObligationType, unknown>),
)

function approval(id: string, properties: unknown): Obligation {
  const names = [
    'count',
    'distinct',
    'escalate_after_seconds',
    'escalation_group',
    'groups',
    'ttl_seconds',
  ] as const
  const given = expectKeys(properties, 'an approval', names, ['excluded'])
  if (typeof given.distinct !== 'boolean') throw new Unexpected('distinct of an approval is not a boolean')
  return {
    id,
    type: 'approval',
    properties: {
      groups: expectTexts(given.groups, 'groups of an approval', MAX_GROUPS),
      count: expectCount(given.count, 'count of an approval', 1, 10),
      distinct: given.distinct,
      ttlSeconds: expectCount(given.ttl_seconds, 'ttl_seconds of an approval', 1, MAX_SECONDS),
      escalationGroup: expectText(given.escalation_group, 'escalation_group of an approval', 256),
      escalateAfterSeconds: expectCount(
        given.escalate_after_seconds,
        'escalate_after_seconds of an approval',
        0,
        MAX_SECONDS,
      ),
      excluded: excludedOf(properties, 'an approval'),
    },
  }
}

/** May be missing, and may be empty: the gateway excludes by itself whoever the call is made for. */
function excludedOf(properties: unknown, what: string): readonly string[] {
  const excluded: unknown = Reflect.get(Object(properties), 'excluded') ?? []
  if (Array.isArray(excluded) && excluded.length === 0) return []
  return expectTexts(excluded, `excluded of ${what}`, MAX_EXCLUDED)
}

function capBytes(id: string, properties: unknown): Obligation {
  const given = expectKeys(properties, 'a cap_bytes', ['max_bytes'])
  const maxBytes = expectCount(given.max_bytes, 'max_bytes of a cap_bytes', 0, Number.MAX_SAFE_INTEGER)
  return { id, type: 'cap_bytes', properties: { maxBytes } }
}

function redact(id: string, properties: unknown): Obligation {
  const given = expectKeys(properties, 'a redact', ['pointers'])
  const pointers = expectTexts(given.pointers, 'pointers of a redact', MAX_POINTERS)
  if (!pointers.every((pointer) => JSON_POINTER.test(pointer))) {
    throw new Unexpected('a pointer of a redact is not a JSON Pointer')
  }
  return { id, type: 'redact', properties: { pointers } }
}

function postReview(id: string, properties: unknown): Obligation {
  const given = expectKeys(properties, 'a post_review', ['groups', 'ttl_seconds'], ['excluded'])
  return {
    id,
    type: 'post_review',
    properties: {
      groups: expectTexts(given.groups, 'groups of a post_review', MAX_GROUPS),
      ttlSeconds: expectCount(given.ttl_seconds, 'ttl_seconds of a post_review', 1, MAX_SECONDS),
      excluded: excludedOf(properties, 'a post_review'),
    },
  }
}

function notify(id: string, properties: unknown): Obligation {
  const given = expectKeys(properties, 'a notify', ['groups'])
  return {
    id,
    type: 'notify',
    properties: { groups: expectTexts(given.groups, 'groups of a notify', MAX_GROUPS) },
  }
}

function limit(id: string, properties: unknown): Obligation {
  const given = expectKeys(properties, 'a limit', ['name'])
  return { id, type: 'limit', properties: { name: expectText(given.name, 'name of a limit', 256) } }
}
