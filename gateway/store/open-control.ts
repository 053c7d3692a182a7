import type { Redis } from 'ioredis'
import { controlKindOf, type StoreConfig } from '../config/store-config.ts'
import type { Clock } from '../lib/clock.ts'
import { type ControlFile, openControlFile } from './control-file.ts'
import { createEmbeddedLockStore } from './embedded-lock-store.ts'
import type { LockFollower, LockStore, LockStoreEvents } from './lock-store.ts'
import { createRedisClient } from './redis-client.ts'
import { createRedisLockStore } from './redis-lock-store.ts'

export interface OpenControlOptions {
  readonly config: StoreConfig
  /** Of Redis, already read from its reference. */
  readonly password: string | undefined
  readonly clock: Clock
  readonly follower: LockFollower
  readonly events: LockStoreEvents & { readonly connectionFailed: (cause: Error) => void }
}

/** Where that lies what people decide. */
export type ControlPlace =
  | { readonly kind: 'embedded'; readonly file: ControlFile }
  | { readonly kind: 'redis'; readonly client: Redis; readonly keyPrefix: string; readonly replicas: number }

export interface OpenedControl extends AsyncDisposable {
  readonly place: ControlPlace
  readonly locks: LockStore
}

/** No call waits for these connections, and a change that waits for a replica takes longer than an answer. */
const CONTROL_TIMEOUT_MS = 1_000

/**
 * The control state that the configuration names. Connections of its own, because waiting for replicas would hold up the
 * calls that share one. Throws when the control file cannot be opened.
 */
export function openControl(options: OpenControlOptions): OpenedControl {
  const { config, follower, events, clock } = options
  const { redis, controlFile } = config
  using stack = new DisposableStack()
  if (controlKindOf(config) === 'embedded' || redis === undefined) {
    const file = stack.use(openControlFile({ path: controlFile, onFailure: events.failed }))
    const locks = createEmbeddedLockStore({ file, follower, events, clock })
    return closing(stack.move(), { place: { kind: 'embedded', file }, locks })
  }
  const settings = {
    ...redis,
    password: options.password,
    timeoutMs: Math.max(redis.timeoutMs, CONTROL_TIMEOUT_MS),
  }
  const connect = (): Redis =>
    stack.adopt(createRedisClient(settings, events.connectionFailed), (client) => client.disconnect())
  const [client, listener] = [connect(), connect()]
  const { keyPrefix, replicas } = redis
  const locks = createRedisLockStore({ client, listener, keyPrefix, replicas, follower, events })
  return closing(stack.move(), { place: { kind: 'redis', client, keyPrefix, replicas }, locks })
}

function closing(
  stack: DisposableStack,
  opened: Omit<OpenedControl, typeof Symbol.asyncDispose>,
): OpenedControl {
  return {
    ...opened,
    [Symbol.asyncDispose]: async () => {
      await opened.locks[Symbol.asyncDispose]()
      stack.dispose()
    },
  }
}
