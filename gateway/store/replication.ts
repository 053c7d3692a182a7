import type { Redis } from 'ioredis'

/** Replicas acknowledge every second; one that has not for so long may be gone. */
const MOST_LAG_SECONDS = 5
const REPLICA = /^slave\d+:.*\bstate=online\b.*\blag=(\d+)/gm

/**
 * Whether so many replicas are attached and were heard of lately. A server that does not tell (managed ones may not) is
 * believed to have them, and whether they have a change is found out afterwards.
 */
export async function canWitness(client: Redis, replicas: number): Promise<boolean> {
  const info = await client.info('replication').catch((cause: unknown) => {
    if (cause instanceof Error && cause.message.startsWith('NOPERM')) return undefined
    throw cause
  })
  if (info === undefined) return true
  const attached = [...info.matchAll(REPLICA)].filter(([, lag]) => Number(lag) <= MOST_LAG_SECONDS)
  return attached.length >= replicas
}
