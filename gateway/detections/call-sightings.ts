import type { Caller } from '../caller.ts'
import type { DetectionsConfig } from '../config/detections-config.ts'
import type { Progress } from '../exchange.ts'
import type { Outcome, OutcomeCode } from '../outcome.ts'
import { feedbackOf } from '../limits/feedback.ts'
import { MINUTE_MS, type DetectionName } from './rules.ts'
import type { Lockable, Seen, Sighting, Subject } from './sighting.ts'

/** What somebody gets whose credential does not hold; nobody who merely has none, and nobody whom our own keys fail. */
const CREDENTIAL_ERRORS: ReadonlySet<OutcomeCode> = new Set<OutcomeCode>([
  'identity.ambiguous',
  'identity.token_invalid',
  'identity.token_expired',
  'identity.token_unbound',
  'identity.binding_mismatch',
  'identity.proof_invalid',
  'identity.forwarded_certificate_untrusted',
])

/** A call that is over. */
export interface EndedCall {
  readonly call: Progress
  readonly outcome: Outcome
  /** It got as far as being handed to the upstream's connection. */
  readonly attempted: boolean
}

/** What of a finished call is worth counting; nothing, for nearly every call. */
export function sightingsOf(ended: EndedCall, config: DetectionsConfig): readonly Sighting[] {
  const { call, outcome } = ended
  const { caller, peer } = call
  if (caller === undefined) return CREDENTIAL_ERRORS.has(outcome.code) ? fromPeer(call, outcome) : []
  // Whoever sends a proof that was used before has shown that it has a copy of the request, and nothing else.
  if (outcome.code === 'identity.proof_replayed')
    return [
      sighting('proof_replayed', peerSubject(peer?.address ?? ''), call, 'the proof had been used before'),
    ]
  const sightings: Sighting[] = []
  const add: Add = (rule, detail, more = {}) => {
    sightings.push({
      ...sighting(rule, agentSubject(caller), call, detail),
      ...more,
      lockable: lockableOf(caller),
    })
  }
  addDenied(call, outcome, add)
  addBurst(call, config, add)
  addChanged(ended, add)
  addFound(call, outcome, add)
  return sightings
}

type Add = (rule: DetectionName, detail: string, more?: Partial<Pick<Sighting, 'about' | 'counted'>>) => void

function addDenied({ environment, operation }: Progress, { code, reasons }: Outcome, add: Add): void {
  if (code !== 'policy.denied') return
  const codes = [...new Set(reasons.map((reason) => reason.code))].sort().join(' ')
  add('denials_repeated', codes)
  const isChange = operation !== undefined && operation.access !== 'read'
  if (isChange && environment === 'production') add('production_attempted', codes)
}

/** Admission counts the calls of a minute already, those of the whole fleet. */
function addBurst({ history }: Progress, config: DetectionsConfig, add: Add): void {
  if (history === undefined) return
  const count = history.calls1m + 1
  if (count < config.calls_burst.threshold) return
  add('calls_burst', `${count} calls in a minute`, { counted: { count, windowMs: MINUTE_MS } })
}

/** Of calls that the upstream got: what waits for people, or was refused, has changed nothing, and may yet be made. */
function addChanged({ call, outcome, attempted }: EndedCall, add: Add): void {
  const { history, input, operation } = call
  if (operation === undefined || operation.access === 'read') return
  if (!feedbackOf({ ...outcome, outcome: outcome.code, attempted }).forwarded) return
  if (input?.time.business_hours === false) {
    const { weekday, hour } = input.time
    add('write_outside_hours', `on ${weekday} at ${String(hour).padStart(2, '0')} h`)
  }
  if (history?.firstUse === true) add('operation_first_use', operation.id, { about: operation.id })
}

function addFound({ findings }: Progress, outcome: Outcome, add: Add): void {
  const secrets = findings?.secrets.filter((name) => name !== 'unscanned') ?? []
  if (secrets.length > 0) add('secret_in_request', secrets.join(' '))
  const leaked = outcome.findings?.secrets ?? []
  if (leaked.length > 0) add('secret_in_response', leaked.join(' '))
  const asked = findings?.injection ?? []
  const answered = outcome.findings?.injection ?? []
  if (asked.length > 0) add('injection_suspected', `in the request: ${asked.join(' ')}`)
  if (answered.length > 0) add('injection_suspected', `in the answer: ${answered.join(' ')}`)
}

function fromPeer(call: Progress, outcome: Outcome): Sighting[] {
  const subject = peerSubject(call.peer?.address ?? '')
  const sightings = [sighting('credential_errors', subject, call, outcome.code)]
  if (outcome.code === 'identity.binding_mismatch')
    sightings.push(sighting('token_moved', subject, call, 'the token is bound to another key'))
  return sightings
}

/** A sighting that locks nothing. */
export function sighting(rule: DetectionName, subject: Subject, call: Progress, detail: string): Sighting {
  return { rule, subject, about: '', seen: seenIn(call), detail, lockable: [] }
}

function seenIn({ arrival, caller, operation, peer }: Progress): Seen {
  return {
    agent: caller?.agent.id ?? '',
    principal: caller?.principal.id ?? '',
    tenant: caller?.tenant ?? '',
    peer: peer?.address ?? '',
    operation: operation?.id ?? '',
    callId: arrival.callId,
  }
}

export function agentSubject({ agent, tenant }: Caller): Subject {
  return { kind: 'agent', tenant, issuer: agent.issuer, name: agent.id }
}

function peerSubject(address: string): Subject {
  return { kind: 'peer', tenant: '', issuer: '', name: networkOf(address) }
}

/** A host of IPv6 has a whole /64 to itself, and could come from another address each time. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address
  const [head = ''] = address.split('::', 1)
  const groups = head.split(':').slice(0, 4)
  return `${groups.join(':')}::/64`
}

/** Names that the caller has proven: of a token without a key only that it has it, as a thief would. */
export function lockableOf({ agent, principal, tokenId }: Caller): Lockable[] {
  const { issuer, id, key, binding } = agent
  const token: Lockable = { kind: 'token', name: tokenId, issuer: '' }
  if (binding === 'none') return [token]
  return [
    token,
    { kind: 'agent', name: id, issuer },
    { kind: 'principal', name: principal.id, issuer },
    { kind: 'key', name: key, issuer: '' },
  ]
}
