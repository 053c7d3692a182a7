import { Counter, Gauge, type Registry } from 'prom-client'
import type { LockChange } from '../audit/lock-entry.ts'
import { nameOfActor } from '../control/actor.ts'
import { printable, scrub } from '../lib/scrub.ts'
import type { Lock } from '../locks/lock.ts'
import type { LocksState } from '../locks/locks.ts'
import { formatScope, LOCK_SCOPE_KINDS } from '../locks/scope.ts'
import { causeFields } from './call-line.ts'
import type { Log } from './log.ts'

const STATES = ['unknown', 'fresh', 'stale'] as const satisfies readonly LocksState[]
const CHANGES = [
  'set',
  'released',
  'release_failed',
  'release_requested',
  'expired',
  'restored',
] as const satisfies readonly LockChange['state'][]

/** What is asked of the locks when somebody scrapes. */
export interface WatchedLocks {
  readonly inForce: readonly Lock[]
  readonly state: LocksState
  readonly epoch: number
  /** `undefined` before the first news. */
  readonly newsAgeMs: number | undefined
}

export interface LockEventsOptions {
  readonly log: Log
  readonly registry: Registry
  readonly nowMs: () => number
  /** `undefined` before there are any. */
  readonly watched: () => WatchedLocks | undefined
}

export type LockEvents = ReturnType<typeof createLockEvents>

/** What happens to locks, as the log and the metrics learn it. */
export function createLockEvents({ log, registry, nowMs, watched }: LockEventsOptions) {
  registerGauges(registry, watched)
  const { changes, changedAt, storeErrors } = defineMetrics(registry)
  for (const change of CHANGES) changes.inc({ change }, 0)
  return {
    changed({ state, lock, by, reason, epoch }: LockChange): void {
      changes.inc({ change: state })
      changedAt.set(nowMs() / 1_000)
      const isExpected = state === 'released' || state === 'expired'
      log.write(isExpected ? 'info' : 'warn', `lock.${state}`, {
        lock: lock.id,
        scope: printable(formatScope(lock.scope), 512),
        actor: printable(nameOfActor(by), 256),
        detail: scrub(reason, 256),
        lock_epoch: epoch,
      })
    },
    stateChanged(state: LocksState): void {
      log.write(state === 'fresh' ? 'info' : 'error', 'lock.state', { state })
    },
    storeFailed(cause: unknown): void {
      storeErrors.inc()
      log.write('debug', 'lock.store_failed', causeFields(cause))
    },
  }
}

function defineMetrics(registry: Registry) {
  const registers = [registry]
  return {
    changes: new Counter({
      name: 'toolgate_lock_changes_total',
      help: 'What became of locks, through this process.',
      labelNames: ['change'],
      registers,
    }),
    changedAt: new Gauge({
      name: 'toolgate_lock_last_change_timestamp_seconds',
      help: 'When a lock was last set or ended through this process; 0 before the first.',
      aggregator: 'max',
      registers,
    }),
    storeErrors: new Counter({
      name: 'toolgate_lock_store_errors_total',
      help: 'Times that the store of locks could not be asked.',
      registers,
    }),
  }
}

function registerGauges(registry: Registry, watched: () => WatchedLocks | undefined): void {
  const registers = [registry]
  void new Gauge({
    name: 'toolgate_locks',
    help: 'Locks in force, by kind of scope.',
    labelNames: ['scope'],
    aggregator: 'max',
    registers,
    collect() {
      const locks = watched()
      if (locks === undefined) return
      for (const scope of LOCK_SCOPE_KINDS)
        this.set({ scope }, locks.inForce.filter((lock) => lock.scope.kind === scope).length)
    },
  })
  void new Gauge({
    name: 'toolgate_locks_state',
    help: 'Whether the locks in force are known: 1 for the state that they are in.',
    labelNames: ['state'],
    aggregator: 'max',
    registers,
    collect() {
      const locks = watched()
      if (locks === undefined) return
      for (const state of STATES) this.set({ state }, Number(state === locks.state))
    },
  })
  registerNumbers(registry, watched)
}

function registerNumbers(registry: Registry, watched: () => WatchedLocks | undefined): void {
  const number = (
    name: string,
    help: string,
    aggregator: 'min' | 'max',
    read: (locks: WatchedLocks) => number | undefined,
  ): void => {
    const collect = function (this: Gauge): void {
      const locks = watched()
      const value = locks && read(locks)
      if (value === undefined) this.remove()
      else this.set(value)
    }
    void new Gauge({ name, help, aggregator, registers: [registry], collect })
  }
  number(
    'toolgate_locks_news_age_seconds',
    'How long ago the store of the locks was heard of; no series before the first time.',
    'max',
    ({ newsAgeMs }) => (newsAgeMs === undefined ? undefined : newsAgeMs / 1_000),
  )
  number(
    'toolgate_lock_epoch',
    'The newest change of the locks that is in force here; of several workers the least.',
    'min',
    ({ epoch }) => epoch,
  )
}
