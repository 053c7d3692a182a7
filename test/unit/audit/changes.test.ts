import { describe, expect, it } from 'vitest'
import { Changes } from '../../../gateway/audit/changes.ts'
import { decodeEntry } from '../../../gateway/audit/entry.ts'
import { ConfigError } from '../../../gateway/config/problem.ts'
import { BundleError } from '../../../gateway/policy/bundles/bundle-error.ts'

const POLICY = { digest: 'sha256:1', revision: 'r1' }
const RULES = { name: 'policy', ...POLICY, roots: ['gateway'] }
const AGENTS = { name: 'agents', digest: 'sha256:2', revision: 'r2', roots: ['registry/agents'] }
const ALONE = { ...POLICY, bundles: [RULES] }
const PASTED = `ghp_${'aB3dE6gH9'.repeat(4)}`

function changesInMemory(failure?: Error) {
  const bytes: Buffer[] = []
  const lost: unknown[] = []
  const changes = new Changes({
    log: {
      append(entry, durability) {
        expect(durability).toBe('strict')
        if (failure !== undefined) return Promise.reject(failure)
        return Promise.resolve({ epoch: 'e', index: bytes.push(Buffer.from(entry)) - 1 })
      },
    },
    clock: { nowMs: () => Date.UTC(2026, 10, 21, 9) },
    onLost: (cause) => lost.push(cause),
  })
  return { changes, lost, entries: () => bytes.map(decodeEntry) }
}

describe('a configuration in force', () => {
  it('is on record with its digest, its bundle, and what differs from the one before', () => {
    const { changes, entries } = changesInMemory()
    changes.configLoaded({ limits: { rates: [] }, workers: 1 }, ALONE)
    changes.configLoaded({ workers: 1, limits: { rates: [{ calls: 5 }] }, locks: {} }, ALONE)
    changes.configLoaded({ workers: 1, limits: { rates: [] } }, ALONE)
    const [first, second, third] = entries()
    expect(first).toMatchObject({ type: 'config', state: 'loaded', changed: [], policy: POLICY })
    expect(second).toMatchObject({ changed: ['limits', 'locks'] })
    expect(third).toMatchObject({
      changed: ['limits', 'locks'],
      // Members in another order are the same configuration.
      digest: first?.type === 'config' ? first.digest : 'none',
    })
  })

  it('that was turned down is named by the paths of its mistakes, never by what was typed there', () => {
    const { changes, entries } = changesInMemory()
    changes.configRejected(new ConfigError([{ path: 'store.redis.url', reason: `is not a URL: ${PASTED}` }]))
    changes.configRejected(new Error(`cannot read ${PASTED}`))
    expect(entries()).toMatchObject([
      { state: 'rejected', problems: ['store.redis.url'], detail: '' },
      { state: 'rejected', problems: [], detail: 'cannot read [removed]' },
    ])
  })
})

it('a bundle that took over, and one that could not, are on record', () => {
  const { changes, entries } = changesInMemory()
  changes.policyChanged({ type: 'activated', ...ALONE, behind: 0, loadMs: 3 })
  changes.policyChanged({
    type: 'rejected',
    bundle: 'policy',
    problem: 'wasm',
    error: new BundleError('wasm', 'no policy.wasm'),
  })
  changes.policyChanged({ type: 'confirmed', bundle: 'policy', behind: 0 })
  expect(entries()).toMatchObject([
    { type: 'policy', state: 'activated', ...POLICY },
    { type: 'policy', state: 'rejected', bundle: 'policy', problem: 'wasm', detail: 'no policy.wasm' },
  ])
  expect(entries()[0]).not.toHaveProperty('bundles')
})

it('of several bundles each is on record, so that the digest of all can be made again', () => {
  const { changes, entries } = changesInMemory()
  changes.configLoaded({}, { ...POLICY, bundles: [RULES, AGENTS] })
  changes.policyChanged({ type: 'activated', ...POLICY, bundles: [RULES, AGENTS], behind: 0, loadMs: 3 })
  const bundles = [
    { name: 'policy', ...POLICY },
    { name: 'agents', digest: 'sha256:2', revision: 'r2' },
  ]
  expect(entries()).toMatchObject([
    { type: 'config', bundles },
    { type: 'policy', bundles },
  ])
})

it('a change that cannot be written is reported, and ends nothing', async () => {
  const failure = new Error('the audit log failed')
  const { changes, lost } = changesInMemory(failure)
  await changes.stopped(2)
  expect(lost).toEqual([failure])
})
