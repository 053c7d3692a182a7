import type { Config } from './config.ts'
import { obstacleTo } from './places.ts'
import type { ConfigProblem } from './problem.ts'
import { controlKindOf } from './store-config.ts'

/** Settings of `store` that are fine alone and wrong together. */
export function storing(config: Config): ConfigProblem[] {
  return [...counting(config), ...controlling(config)]
}

function counting({ store, workers }: Config): ConfigProblem[] {
  if (store.kind === 'redis' && store.redis === undefined) {
    return [{ path: 'store.redis', reason: 'is required by store.kind redis' }]
  }
  if (store.kind === 'embedded' && workers > 1) {
    return [{ path: 'store.kind', reason: 'embedded counts in one process only; several workers need redis' }]
  }
  const sentinels = store.redis?.sentinels.length ?? 0
  if (sentinels > 0 && store.redis?.sentinelName === undefined) {
    return [{ path: 'store.redis.sentinelName', reason: 'is required with sentinels' }]
  }
  return []
}

function controlling({ store, workers }: Config): ConfigProblem[] {
  const { kind, redis, controlFile } = store
  if (controlKindOf(store) === 'redis') {
    const missing = kind !== 'redis' && redis === undefined
    return missing ? [{ path: 'store.redis', reason: 'is required by store.controlKind redis' }] : []
  }
  const problems: ConfigProblem[] = []
  if (kind === 'redis' && (redis?.shares ?? 1) > workers) {
    const reason = 'embedded is known to one machine only: a lock would not hold on the others'
    problems.push({ path: 'store.controlKind', reason })
  }
  const obstacle = obstacleTo(controlFile, 'file')
  if (obstacle !== undefined) problems.push({ path: 'store.controlFile', reason: obstacle })
  return problems
}
