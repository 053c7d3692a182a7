import { describe, expect, it } from 'vitest'
import type { UpstreamCredential } from '../../../gateway/credentials/credential.ts'
import { Locks } from '../../../gateway/locks/locks.ts'
import { pass, type Verdict } from '../../../gateway/refusal.ts'
import { createSeal } from '../../../gateway/stages/seal.ts'
import { permitted } from '../../harness/permitted.ts'
import { syntheticCall } from '../../harness/synthetic-call.ts'
import { aLock } from './a-lock.ts'

const STALE_AFTER_MS = 5_000

/** Seals a call whose credential takes its time: nothing is locked when it is asked for, and then `meanwhile` happens. */
async function sealed(
  access: 'read' | 'write',
  meanwhile: (locks: Locks, clock: { nowMs: number }) => void,
): Promise<{ readonly outcome: string; readonly applied: boolean }> {
  const clock = { nowMs: 0 }
  const locks = new Locks(
    { staleAfterMs: STALE_AFTER_MS, onStale: { read: 'allow' } },
    { monotonicMs: () => clock.nowMs },
  )
  locks.changed({ epoch: 7, locks: [] })
  locks.heard()
  const call = syntheticCall({ access })
  const fetched = Promise.withResolvers<Verdict<UpstreamCredential>>()
  const seal = createSeal({
    connectors: [call.connector],
    credentials: { get: () => fetched.promise },
    locks,
  })
  let applied = false
  const sealing = seal(permitted(call))
  meanwhile(locks, clock)
  fetched.resolve(pass({ apply: () => (applied = true), expiresAtMs: undefined, version: 'v1' }))
  const verdict = await sealing
  return { outcome: verdict.ok ? `sent at epoch ${verdict.value.lockEpoch}` : verdict.refusal.code, applied }
}

describe('a call whose credential is being fetched', () => {
  it('is not sent, nor given the credential, where a lock comes into force meanwhile', async () => {
    const locked = await sealed('write', (locks) =>
      locks.changed({ epoch: 8, locks: [aLock('agent:change-review')] }),
    )
    expect(locked).toEqual({ outcome: 'lock.engaged', applied: false })
  })

  it('is sent under the locks of that moment where none of them is about it', async () => {
    const other = await sealed('write', (locks) =>
      locks.changed({ epoch: 8, locks: [aLock('agent:another')] }),
    )
    expect(other).toEqual({ outcome: 'sent at epoch 8', applied: true })
  })

  it('and changes something is not sent once the locks are not heard of any more', async () => {
    const stale = (access: 'read' | 'write') =>
      sealed(access, (_, clock) => {
        clock.nowMs += STALE_AFTER_MS + 1
      })
    expect(await stale('write')).toEqual({ outcome: 'lock.unknown', applied: false })
    expect(await stale('read')).toEqual({ outcome: 'sent at epoch 7', applied: true })
  })
})
