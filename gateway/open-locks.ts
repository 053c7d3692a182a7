import { setTimeout as delay } from 'node:timers/promises'
import type { Audit } from './audit/open-audit.ts'
import type { Config } from './config/config.ts'
import type { Clock } from './lib/clock.ts'
import { createRandomPool } from './lib/random-pool.ts'
import { createUuidV7 } from './lib/uuid-v7.ts'
import type { LockId } from './locks/lock.ts'
import { LockService } from './locks/lock-service.ts'
import { Locks } from './locks/locks.ts'
import type { Notify } from './notify/event.ts'
import { lockNews } from './notify/lock-news.ts'
import { type ControlPlace, openControl } from './store/open-control.ts'
import type { Telemetry } from './telemetry/telemetry.ts'

export interface OpenLocksOptions {
  readonly config: Pick<Config, 'store' | 'locks'>
  /** Of Redis, already read from its reference. */
  readonly password: string | undefined
  readonly clock: Clock
  readonly audit: Pick<Audit, 'changes'>
  readonly events: Pick<Telemetry['events'], 'lock' | 'store'>
  readonly notify: Notify
}

export interface OpenedLocks extends AsyncDisposable {
  readonly control: ControlPlace
  readonly locks: Locks
  readonly lockService: LockService
  /** Settles when the locks in force are known, or the store has had its time: calls are refused until it answers. */
  readonly known: Promise<unknown>
}

/** Long enough for a connection with TLS, short enough for a restart while Redis is away. */
const KNOWN_WAIT_MS = 1_500

/** The locks in force, where they are kept, and who sets them. Throws when the control file cannot be opened. */
export function openLocks(options: OpenLocksOptions): OpenedLocks {
  const { config, password, clock, audit, events, notify } = options
  const known = Promise.withResolvers<void>()
  const locks = new Locks(config.locks, clock)
  const opened = openControl({
    config: config.store,
    password,
    clock,
    follower: {
      changed: (snapshot) => locks.changed(snapshot),
      heard: () => {
        locks.heard()
        known.resolve()
      },
    },
    events: {
      restored: (forgotten) => lockService.restored(forgotten),
      failed: events.lock.storeFailed,
      connectionFailed: events.store.connectionFailed,
    },
  })
  const lockService: LockService = new LockService({
    store: opened.locks,
    locks,
    record: (change) => audit.changes.lockChanged(change),
    onChange: (change) => {
      events.lock.changed(change)
      const news = lockNews(change, clock.nowMs())
      if (news !== undefined) notify(news)
    },
    onState: events.lock.stateChanged,
    onFailure: events.lock.storeFailed,
    clock,
    nextId: createUuidV7(() => clock.nowMs(), createRandomPool()) as () => LockId,
  })
  return {
    control: opened.place,
    locks,
    lockService,
    known: Promise.race([known.promise, delay(KNOWN_WAIT_MS, undefined, { ref: false })]),
    [Symbol.asyncDispose]: async () => {
      await lockService[Symbol.asyncDispose]()
      await opened[Symbol.asyncDispose]()
    },
  }
}
