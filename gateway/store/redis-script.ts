import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Redis } from 'ioredis'
import { writeTogether } from './write-together.ts'

/** A Lua script with the digest that Redis knows it by. */
export interface RedisScript {
  readonly lua: string
  readonly sha1: string
}

export interface AdmissionScripts {
  readonly admit: RedisScript
  readonly settle: RedisScript
  readonly renew: RedisScript
  readonly recall: RedisScript
}

export function redisScript(lua: string): RedisScript {
  return { lua, sha1: hash('sha1', lua) }
}

/** Reads the scripts that lie beside this file; once, at start. */
export function readAdmissionScripts(): AdmissionScripts {
  return {
    admit: read('admit.lua'),
    settle: read('settle.lua'),
    renew: read('renew.lua'),
    recall: read('recall.lua'),
  }
}

export interface IdempotencyScripts {
  readonly claim: RedisScript
  readonly settle: RedisScript
}

export function readIdempotencyScripts(): IdempotencyScripts {
  return { claim: read('idempotency-claim.lua'), settle: read('idempotency-settle.lua') }
}

export interface SpendScripts {
  readonly reserve: RedisScript
  readonly settle: RedisScript
}

export function readSpendScripts(): SpendScripts {
  return { reserve: read('spend-reserve.lua'), settle: read('spend-settle.lua') }
}

export interface ApprovalScripts {
  readonly read: RedisScript
  readonly put: RedisScript
  readonly over: RedisScript
  readonly prune: RedisScript
}

export function readApprovalScripts(): ApprovalScripts {
  return {
    read: read('approval-read.lua'),
    put: read('approval-put.lua'),
    over: read('approval-over.lua'),
    prune: read('approval-prune.lua'),
  }
}

export interface LockScripts {
  readonly add: RedisScript
  readonly end: RedisScript
  readonly replace: RedisScript
  readonly read: RedisScript
}

export function readLockScripts(): LockScripts {
  return {
    add: read('lock-add.lua'),
    end: read('lock-end.lua'),
    replace: read('lock-replace.lua'),
    read: read('lock-read.lua'),
  }
}

export function readSightingScript(): RedisScript {
  return read('sighting-see.lua')
}

function read(name: string): RedisScript {
  return redisScript(readFileSync(new URL(name, import.meta.url), 'utf8'))
}

/** Makes scripts known before the first call needs them, and again at every server that a failover brings. */
export function loadScripts(client: Redis, scripts: readonly RedisScript[]): void {
  const load = (): void => {
    for (const { lua } of scripts) client.script('LOAD', lua).catch(() => {})
  }
  client.on('ready', load)
  if (client.status === 'ready') load()
}

/** One EVALSHA; only a server that has never seen the script (new, restarted, promoted) costs a second trip. */
export async function runScript(
  client: Redis,
  script: RedisScript,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  writeTogether(client)
  try {
    return await client.evalsha(script.sha1, keys.length, ...keys, ...args)
  } catch (cause) {
    if (!(cause instanceof Error) || !cause.message.startsWith('NOSCRIPT')) throw cause
    return client.eval(script.lua, keys.length, ...keys, ...args)
  }
}
