/** How much of a person's time a detection is worth. */
export type Severity = 'info' | 'warning' | 'error' | 'critical'

/**
 * What a detection may lock: a name that who was seen has proven. A task is not among them: an agent declares what it likes,
 * and could have the calls of another locked by calling its own work the same.
 */
export const LOCK_TARGETS = ['agent', 'principal', 'key', 'token'] as const
export type LockTarget = (typeof LOCK_TARGETS)[number]

interface Rule {
  /** What happened, in a few words. */
  readonly title: string
  readonly severity: Severity
  /** What it may mean. */
  readonly hypothesis: string
  /** What to do first. */
  readonly nextStep: string
  /** What it can lock; nothing where who did it is not proven, or it would lock the victim. */
  readonly locks: readonly LockTarget[]
  readonly defaults: {
    readonly threshold: number
    readonly windowMs: number
    /** What the threshold is of where admission counts; the window then only keeps the rule quiet. */
    readonly countedInMs?: number
    readonly lock: LockTarget
  }
}

export const MINUTE_MS = 60_000
const TEN_MINUTES_MS = 10 * MINUTE_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

const OF_CALLER: readonly LockTarget[] = LOCK_TARGETS
/** An approval outlives the token that it was asked for with, and does not know it. */
const OF_ASKER: readonly LockTarget[] = ['agent', 'principal', 'key']

/**
 * The closed set of what is looked out for; README.md says the same to people, and a test holds the two together. The
 * names are those in toolgate.yaml, on record, in the metric and in the export.
 */
export const DETECTION_RULES = {
  denials_repeated: {
    title: 'Policy denied one agent again and again',
    severity: 'warning',
    hypothesis: 'The agent is probing what it may do, or has been talked into something that it may not do.',
    nextStep:
      'Read the denied calls of the agent (toolgate audit query --agent) and ask its owner what it was to do.',
    locks: OF_CALLER,
    defaults: { threshold: 3, windowMs: TEN_MINUTES_MS, lock: 'agent' },
  },
  calls_burst: {
    title: 'One agent made very many calls',
    severity: 'warning',
    hypothesis: 'The agent is caught in a loop, or somebody reads out whatever it can reach.',
    nextStep: 'Look at what the calls have in common; lock the agent if nobody expects them.',
    locks: OF_CALLER,
    defaults: { threshold: 300, countedInMs: MINUTE_MS, windowMs: TEN_MINUTES_MS, lock: 'agent' },
  },
  write_outside_hours: {
    title: 'A change was made outside business hours',
    severity: 'info',
    hypothesis: 'Somebody uses the agent when nobody watches, or a job runs that nobody planned.',
    nextStep: 'Ask the principal of the call whether it was theirs.',
    locks: OF_CALLER,
    defaults: { threshold: 1, windowMs: HOUR_MS, lock: 'agent' },
  },
  operation_first_use: {
    title: 'An agent used an operation that changes something for the first time',
    severity: 'info',
    hypothesis: 'The agent has a new task, or has been led away from its own.',
    nextStep: 'Compare the operation with what the agent is registered for.',
    locks: OF_CALLER,
    defaults: { threshold: 1, windowMs: DAY_MS, lock: 'agent' },
  },
  token_moved: {
    title: 'A token or key came from another workload than before',
    severity: 'error',
    hypothesis: 'A token, or the key with it, was taken from the workload that it was issued to.',
    nextStep: 'Find out which of the two workloads is the agent; lock the key and revoke the token.',
    locks: OF_CALLER,
    defaults: { threshold: 1, windowMs: HOUR_MS, lock: 'token' },
  },
  proof_replayed: {
    title: 'A DPoP proof was used twice',
    severity: 'warning',
    hypothesis:
      'Somebody has recorded a request and sends it again, or a client repeats requests as they are.',
    nextStep: 'Find out what lies between the agent and the gateway and could have kept the request.',
    // Whoever replays a proof has a copy of it and no key: a lock would stop the one that it was copied from.
    locks: [],
    defaults: { threshold: 1, windowMs: HOUR_MS, lock: 'token' },
  },
  secret_in_request: {
    title: 'An agent sent what looks like a credential',
    severity: 'error',
    hypothesis:
      'A credential has come into the reach of the agent, and it is about to be written down or given away.',
    nextStep: 'Find the credential by its kind in the disclosed input of the call, and have it replaced.',
    locks: OF_CALLER,
    defaults: { threshold: 1, windowMs: TEN_MINUTES_MS, lock: 'agent' },
  },
  secret_in_response: {
    title: 'A tool answered with what looks like a credential',
    severity: 'error',
    hypothesis: 'A credential lies where the agent can read it, and the agent has it now.',
    nextStep: 'Have the credential replaced, and removed from where it lies.',
    locks: OF_CALLER,
    defaults: { threshold: 1, windowMs: TEN_MINUTES_MS, lock: 'agent' },
  },
  injection_suspected: {
    title: 'What looks like an instruction to the agent was in a call or an answer',
    severity: 'warning',
    hypothesis: 'Somebody has put text where the agent reads it, to make it act for them.',
    nextStep:
      'Read what the agent was given, and look at everything that it did afterwards in the same task.',
    locks: OF_CALLER,
    defaults: { threshold: 1, windowMs: TEN_MINUTES_MS, lock: 'agent' },
  },
  production_attempted: {
    title: 'Policy denied a change to production',
    severity: 'warning',
    hypothesis: 'The agent acts on production although nobody let it, by mistake or because it was made to.',
    nextStep: 'Ask the owner of the agent why it reached for production.',
    locks: OF_CALLER,
    defaults: { threshold: 1, windowMs: TEN_MINUTES_MS, lock: 'agent' },
  },
  credential_errors: {
    title: 'One address kept presenting credentials that do not hold',
    severity: 'warning',
    hypothesis: 'Somebody tries tokens or proofs that are not theirs, or a client is set up wrongly.',
    nextStep: 'Find out which workload has the address, and what it presents.',
    // Nobody is proven, and whoever is named may be the one who is attacked.
    locks: [],
    defaults: { threshold: 10, windowMs: TEN_MINUTES_MS, lock: 'token' },
  },
  approvals_spike: {
    title: 'One agent asked people for very many approvals',
    severity: 'warning',
    hypothesis:
      'People are being worn out until they say yes without looking, or the agent does what it should not.',
    nextStep: 'Deny what waits, and lock the agent until its owner has explained it.',
    locks: OF_ASKER,
    defaults: { threshold: 10, windowMs: TEN_MINUTES_MS, lock: 'agent' },
  },
  vote_not_entitled: {
    title: 'Somebody answered an approval who may not',
    severity: 'error',
    hypothesis:
      'A requester tries to approve their own call, or an account of a person is used by somebody else.',
    nextStep: 'Ask the person whether it was them; look at the other answers that they gave.',
    locks: ['principal'],
    defaults: { threshold: 1, windowMs: TEN_MINUTES_MS, lock: 'principal' },
  },
  review_denied: {
    title: 'People said no to a call that had been made already',
    severity: 'error',
    hypothesis: 'The agent did what nobody would have approved, and may be about to do it again.',
    nextStep: 'Take back by hand what the call did, and lock the agent until its owner has explained it.',
    locks: OF_ASKER,
    defaults: { threshold: 1, windowMs: TEN_MINUTES_MS, lock: 'agent' },
  },
} as const satisfies Record<string, Rule>

export type DetectionName = keyof typeof DETECTION_RULES

export const DETECTION_NAMES = Object.keys(DETECTION_RULES) as readonly DetectionName[]

export function ruleOf(name: DetectionName): Rule {
  return DETECTION_RULES[name]
}

export function isDetectionName(untrusted: string): untrusted is DetectionName {
  return Object.hasOwn(DETECTION_RULES, untrusted)
}
