import { assertNever } from '../lib/assert-never.ts'

/** What is locked. Names are compared as they stand in tokens and in the catalogue, byte for byte. */
export type LockScope =
  | { readonly kind: 'all' }
  | { readonly kind: 'writes' }
  | { readonly kind: NamedKind; readonly name: string }
  | {
      readonly kind: 'agent' | 'principal'
      readonly name: string
      /** Empty for that name from whichever issuer. */
      readonly issuer: string
    }

type NamedKind = 'tenant' | 'connector' | 'operation' | 'task' | 'key' | 'token'

export type LockScopeKind = LockScope['kind']

interface ScopeForm {
  readonly form: string
  readonly meaning: string
}

/** Every scope there is, as people write it; what an unknown one is answered with. */
export const LOCK_SCOPES: Readonly<Record<LockScopeKind, ScopeForm>> = {
  all: { form: 'all', meaning: 'every call' },
  writes: { form: 'writes', meaning: 'every call that changes something' },
  tenant: { form: 'tenant:NAME', meaning: 'calls of a tenant' },
  agent: {
    form: 'agent:ID or agent:ISSUER#ID',
    meaning: 'calls of an agent, and calls that it delegated to another',
  },
  principal: {
    form: 'principal:ID or principal:ISSUER#ID',
    meaning: 'calls for a person or service, and calls that it delegated',
  },
  connector: { form: 'connector:NAME', meaning: 'calls to one upstream' },
  operation: { form: 'operation:CONNECTOR.ID', meaning: 'calls to one operation' },
  task: { form: 'task:NAME', meaning: 'calls that declare a task; an agent may leave it out' },
  key: { form: 'key:THUMBPRINT', meaning: 'calls proven with a key or certificate (jkt, x5t#S256)' },
  token: { form: 'token:JTI', meaning: 'calls with one access token' },
}

export const LOCK_SCOPE_KINDS = Object.keys(LOCK_SCOPES) as readonly LockScopeKind[]

/** How other policies call the same; accepted where a lock is set. */
const ALIASES: Readonly<Record<string, string>> = {
  read_only: 'writes',
  all_write_tools_disabled: 'writes',
  disabled_connectors: 'connector',
  disabled_users: 'principal',
}

/** Longest name that a token or a catalogue can have, an issuer before it. */
const MAX_SCOPE_CHARS = 1_600
const CONTROL = /\p{Cc}|\p{Cs}/u
/** RFC 8414 §2: an issuer has no fragment, so the first `#` after one is not its own. */
const ISSUER_AND_NAME = /^(https?:\/\/[^#\s]+)#(.+)$/

/** `undefined` for what is no scope. */
export function parseScope(untrustedText: string): LockScope | undefined {
  if (untrustedText.length > MAX_SCOPE_CHARS || CONTROL.test(untrustedText)) return undefined
  const colon = untrustedText.indexOf(':')
  const word = colon === -1 ? untrustedText : untrustedText.slice(0, colon)
  const name = colon === -1 ? '' : untrustedText.slice(colon + 1)
  const known = Object.hasOwn(ALIASES, word) ? (ALIASES[word] as string) : word
  if (!isKind(known)) return undefined
  if (known === 'all' || known === 'writes') return colon === -1 ? { kind: known } : undefined
  if (name === '' || name.trim() !== name) return undefined
  if (known !== 'agent' && known !== 'principal') return { kind: known, name }
  const [, issuer = '', id = name] = ISSUER_AND_NAME.exec(name) ?? []
  return { kind: known, name: id, issuer }
}

/** As {@link parseScope} reads it. */
export function formatScope(scope: LockScope): string {
  switch (scope.kind) {
    case 'all':
    case 'writes':
      return scope.kind
    case 'agent':
    case 'principal':
      return `${scope.kind}:${scope.issuer === '' ? '' : `${scope.issuer}#`}${scope.name}`
    case 'tenant':
    case 'connector':
    case 'operation':
    case 'task':
    case 'key':
    case 'token':
      return `${scope.kind}:${scope.name}`
    default:
      return assertNever(scope)
  }
}

function isKind(word: string): word is LockScopeKind {
  return Object.hasOwn(LOCK_SCOPES, word)
}
