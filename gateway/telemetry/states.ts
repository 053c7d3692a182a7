import { Gauge, type Registry } from 'prom-client'
import type { HeldPlaces } from '../approvals/held-places.ts'
import type { ExportState } from './export-metrics.ts'
import type { NotifyState } from '../notify/notifier.ts'
import type { FleetLogState } from './fleet-log-metrics.ts'
import type { WatchedApprovals } from './approval-events.ts'
import type { WatchedLocks } from './lock-events.ts'

export const BREAKER_STATES = ['closed', 'half-open', 'open'] as const
export type BreakerStateLabel = (typeof BREAKER_STATES)[number]

/** `degraded` answers calls by the configured failure mode; `unavailable` refuses what is set to closed. */
const STORE_STATES = ['ready', 'degraded', 'unavailable'] as const
type StoreState = (typeof STORE_STATES)[number]

interface DecisionLogState {
  readonly bufferBytes: number
  readonly events: number
  readonly lagSeconds: number
}

const NOTHING_WAITS: DecisionLogState = { bufferBytes: 0, events: 0, lagSeconds: 0 }

/** States that are asked for when somebody scrapes, and cost nothing in between. */
export interface Watched {
  readonly callsInFlight: () => number
  /** Of the listener's certificate, milliseconds since the epoch; `undefined` without TLS. */
  readonly certificateEndsAtMs: () => number | undefined
  readonly auditQueuedBytes: () => number
  /** Empty when calls can be put on record. */
  readonly auditTrouble: () => string
  /** What the audit log has committed to. */
  readonly auditTree: () => { readonly size: number; readonly publishedAtMs: number }
  readonly fleetLog: () => FleetLogState
  readonly exports: () => readonly ExportState[]
  readonly notify: () => readonly NotifyState[]
  readonly locks: () => WatchedLocks
  readonly approvals: () => WatchedApprovals
  readonly heldPlaces: () => Pick<HeldPlaces, 'most' | 'taken'>
  readonly storeState: () => StoreState
  readonly breakers: () => Iterable<readonly [connector: string, state: BreakerStateLabel]>
  readonly policy: () => { readonly revision: string; readonly digest: string }
  /** `undefined` while there is none in force. */
  readonly shadow: () => { readonly revision: string; readonly digest: string } | undefined
  readonly policyMemoryBytes: () => number
  readonly logLinesLost: () => number
  /** `undefined` where no decision log is configured. */
  readonly decisionLog: () =>
    { readonly bufferBytes: number; readonly events: number; readonly lagSeconds: number } | undefined
}

type Aggregator = 'sum' | 'min' | 'max' | 'first'

interface NumberState {
  readonly name: string
  readonly help: string
  /** How several workers' values become one. */
  readonly aggregator: Aggregator
  readonly read: (watched: Partial<Watched>) => number | undefined
}

const NUMBERS: readonly NumberState[] = [
  {
    name: 'toolgate_calls_in_flight',
    help: 'Calls being handled now.',
    aggregator: 'sum',
    read: ({ callsInFlight }) => callsInFlight?.(),
  },
  {
    name: 'toolgate_calls_held',
    help: 'Calls that wait for people now, with their connection open.',
    aggregator: 'sum',
    read: ({ heldPlaces }) => heldPlaces?.().taken,
  },
  {
    name: 'toolgate_calls_held_limit',
    help: 'How many calls may wait so at once.',
    aggregator: 'sum',
    read: ({ heldPlaces }) => heldPlaces?.().most,
  },
  {
    name: 'toolgate_tls_certificate_expiry_timestamp_seconds',
    help: 'When the certificate ends that callers are shown.',
    aggregator: 'min',
    read: ({ certificateEndsAtMs }) => seconds(certificateEndsAtMs?.()),
  },
  {
    name: 'toolgate_audit_queue_bytes',
    help: 'Audit entries accepted and not yet written.',
    aggregator: 'sum',
    read: ({ auditQueuedBytes }) => auditQueuedBytes?.(),
  },
  {
    name: 'toolgate_audit_healthy',
    help: 'Whether calls can be put on record.',
    aggregator: 'min',
    read: ({ auditTrouble }) => auditTrouble && Number(auditTrouble() === ''),
  },
  {
    name: 'toolgate_audit_tree_entries',
    help: 'Audit entries that the newest checkpoint covers.',
    aggregator: 'sum',
    read: ({ auditTree }) => auditTree?.().size,
  },
  {
    name: 'toolgate_audit_checkpoint_timestamp_seconds',
    help: 'When the newest checkpoint of the audit log was published; 0 before the first.',
    aggregator: 'min',
    read: ({ auditTree }) => seconds(auditTree?.().publishedAtMs),
  },
  {
    name: 'toolgate_policy_memory_bytes',
    help: 'Memory of the WASM instances of policy.',
    aggregator: 'sum',
    read: ({ policyMemoryBytes }) => policyMemoryBytes?.(),
  },
  {
    name: 'toolgate_log_lines_lost',
    help: 'Log lines that could not be written since the start.',
    aggregator: 'sum',
    read: ({ logLinesLost }) => logLinesLost?.(),
  },
  {
    name: 'toolgate_decision_log_buffer_bytes',
    help: 'Bytes of decisions that wait for their upload.',
    aggregator: 'sum',
    read: (watched) => decisionLogOf(watched)?.bufferBytes,
  },
  {
    name: 'toolgate_decision_log_buffer_events',
    help: 'Decisions that wait for their upload.',
    aggregator: 'sum',
    read: (watched) => decisionLogOf(watched)?.events,
  },
  {
    name: 'toolgate_decision_log_lag_seconds',
    help: 'Age of the oldest decision that is not uploaded.',
    aggregator: 'max',
    read: (watched) => decisionLogOf(watched)?.lagSeconds,
  },
]

/** Registers gauges over `watched()`; a state whose source is not there yet has no series. */
export function registerStates(registry: Registry, version: string, watched: () => Partial<Watched>): void {
  const registers = [registry]
  for (const { name, help, aggregator, read } of NUMBERS) {
    const collect = function (this: Gauge): void {
      const value = read(watched())
      if (value === undefined) this.remove()
      else this.set(value)
    }
    void new Gauge({ name, help, aggregator, registers, collect })
  }
  registerStateSets(registry, watched)
  registerInfo(registry, version, watched)
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1_000
}

function decisionLogOf({ decisionLog }: Partial<Watched>): DecisionLogState | undefined {
  return decisionLog && (decisionLog() ?? NOTHING_WAITS)
}

function registerStateSets(registry: Registry, watched: () => Partial<Watched>): void {
  const registers = [registry]
  void new Gauge({
    name: 'toolgate_store_state',
    help: 'State of the limiter store: 1 for the one that it is in.',
    labelNames: ['state'],
    aggregator: 'max',
    registers,
    collect() {
      const current = watched().storeState?.()
      if (current === undefined) return
      for (const state of STORE_STATES) this.set({ state }, Number(state === current))
    },
  })
  void new Gauge({
    name: 'toolgate_breaker_state',
    help: 'State of the breaker of each upstream: 1 for the one that it is in.',
    labelNames: ['connector', 'state'],
    aggregator: 'max',
    registers,
    collect() {
      this.reset()
      for (const [connector, current] of watched().breakers?.() ?? []) {
        for (const state of BREAKER_STATES) this.set({ connector, state }, Number(state === current))
      }
    },
  })
}

function registerInfo(registry: Registry, version: string, watched: () => Partial<Watched>): void {
  const registers = [registry]
  const build = new Gauge({
    name: 'toolgate_build_info',
    help: 'What is running; the value is always 1.',
    labelNames: ['version', 'node'],
    aggregator: 'first',
    registers,
  })
  build.set({ version, node: process.versions.node }, 1)
  const policyInfo = (
    name: string,
    help: string,
    read: () => { revision: string; digest: string } | undefined,
  ): void => {
    const collect = function (this: Gauge): void {
      this.reset()
      const policy = read()
      if (policy !== undefined) this.set({ revision: policy.revision, digest: policy.digest }, 1)
    }
    const labelNames = ['revision', 'digest']
    void new Gauge({ name, help, labelNames, aggregator: 'max', registers, collect })
  }
  policyInfo('toolgate_policy_info', 'The policy in force; the value is always 1.', () =>
    watched().policy?.(),
  )
  policyInfo('toolgate_policy_shadow_info', 'The shadow in force; the value is always 1.', () =>
    watched().shadow?.(),
  )
}
