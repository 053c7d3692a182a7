import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../lib/clock.ts'
import { createKeyedTokens, KEY_BYTES, type KeyedTokens } from './keyed-tokens.ts'
import { makeOnce, readIfThere } from './make-once.ts'

export interface TokenKeysOptions {
  /** The audit directory: keys lie beside the log. */
  readonly directory: string
  readonly clock: Pick<Clock, 'nowMs'>
  /** Told when another key took over. */
  readonly onRotated: (id: string, before: string) => void
  /** Told when the key of the next month could not be made; the old one stays in use until it can. */
  readonly onFault: (cause: unknown) => void
}

/**
 * Tokens under a key that changes each month (UTC), so that no key links more than one month of values, and deleting
 * a key file ends what its tokens can be matched with. The key's id is its month and stands in every token.
 */
export async function openTokenKeys(options: TokenKeysOptions): Promise<KeyedTokens> {
  const { directory, clock, onRotated, onFault } = options
  const load = async (id: string): Promise<{ id: string; tokens: KeyedTokens }> => ({
    id,
    tokens: createKeyedTokens(await makeOnce(pathOf(directory, id), () => randomBytes(KEY_BYTES)), id),
  })
  let current = await load(monthOf(clock.nowMs()))
  let untilMs = nextMonthMs(clock.nowMs())
  // Made ahead of time: at the turn of the month no call waits for a disk.
  let next = await load(monthOf(untilMs))
  const rotate = (nowMs: number): void => {
    const before = current.id
    current = next
    untilMs = nextMonthMs(nowMs)
    if (current.id !== before) onRotated(current.id, before)
    load(monthOf(untilMs)).then((loaded) => (next = loaded), onFault)
  }
  const inUse = (): KeyedTokens => {
    const nowMs = clock.nowMs()
    if (nowMs >= untilMs) rotate(nowMs)
    return current.tokens
  }
  return {
    tokenOf: (value) => inUse().tokenOf(value),
    commitmentTo: (contents) => inUse().commitmentTo(contents),
  }
}

/** Every key that is still there, newest first: a value is searched for under each of them. */
export async function readTokenKeys(directory: string): Promise<KeyedTokens[]> {
  const ids = (await readdir(directory))
    .flatMap((name) => /^token-(\d{4}-\d\d)\.key$/.exec(name)?.[1] ?? [])
    .sort()
    .reverse()
  const found: KeyedTokens[] = []
  for (const id of ids) {
    const key = await readIfThere(pathOf(directory, id))
    if (key?.length === KEY_BYTES) found.push(createKeyedTokens(key, id))
  }
  return found
}

function pathOf(directory: string, id: string): string {
  return join(directory, `token-${id}.key`)
}

function monthOf(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 7)
}

function nextMonthMs(nowMs: number): number {
  const now = new Date(nowMs)
  return Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1)
}
