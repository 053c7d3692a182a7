import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { allows, compileRules, FRIEND_RULES, startPolicy } from '../../harness/opa.ts'
import type { RunningPolicy } from '../../harness/opa.ts'

const CLOSED_RULES = `
decision := {"allow": false, "risk": 0, "reasons": reasons, "obligations": []}
reasons contains {"code": "hours.closed", "rule": "R043", "detail": ""}
`

let open: Buffer
let closed: Buffer
let allowsNobody: Buffer
beforeAll(async () => {
  open = await compileRules(FRIEND_RULES, { revision: 'open' })
  closed = await compileRules(CLOSED_RULES, { revision: 'closed' })
  allowsNobody = await compileRules(
    'decision := {"allow": true, "risk": 0, "reasons": [], "obligations": []}',
  )
})

/** The revision once it is `revision`, or the one that it stays. */
async function revisionOf(running: RunningPolicy, revision: string): Promise<string> {
  const until = performance.now() + 5000
  while (running.policy.revision !== revision && performance.now() < until) await setTimeout(10)
  return running.policy.revision
}

describe('a changed bundle file', () => {
  test('is swapped in on demand', async () => {
    await using running = await startPolicy(open)
    const { policy, file, events } = running
    expect(allows(policy)).toBe(true)
    const { digest } = policy
    await file.write(closed)
    await expect(policy.reload()).resolves.toBe('activated')
    expect(allows(policy)).toBe(false)
    expect(policy).toMatchObject({ revision: 'closed' })
    expect(policy.digest).not.toBe(digest)
    expect(events.map(({ type }) => type)).toEqual(['activated', 'activated'])
  })

  test('is no news when it is the same', async () => {
    await using running = await startPolicy(open)
    await expect(running.policy.reload()).resolves.toBe('unchanged')
    expect(running.events).toHaveLength(1)
  })

  test.each<[string, () => Buffer, string]>([
    ['cut short', () => closed.subarray(0, 100), 'archive'],
    ['empty', () => Buffer.alloc(0), 'archive'],
    ['allows nobody’s call', () => allowsNobody, 'self_test'],
  ])('leaves the live policy in place when it is refused: %s', async (_, bundle, problem) => {
    await using running = await startPolicy(open)
    const { policy, file, events } = running
    const { digest } = policy
    await file.write(bundle())
    await expect(policy.reload()).resolves.toBe('rejected')
    expect(allows(policy)).toBe(true)
    expect(policy.digest).toBe(digest)
    expect(policy.status().rejected).toMatchObject({ problem })
    expect(events.at(-1)).toMatchObject({ type: 'rejected', problem })
    await file.write(open)
    await expect(policy.reload()).resolves.toBe('unchanged')
    expect(policy.status().rejected).toBeUndefined()
  })

  test('leaves the live policy in place when it is gone', async () => {
    await using running = await startPolicy(open)
    await rm(running.file.path)
    await expect(running.policy.reload()).resolves.toBe('rejected')
    expect(allows(running.policy)).toBe(true)
    expect(running.policy.status().rejected).toMatchObject({ problem: 'unreadable' })
  })

  test('lets calls be decided while it is loaded', async () => {
    await using running = await startPolicy(open)
    const { policy, file } = running
    await file.write(closed)
    let decided = 0
    const deciding = setInterval(() => {
      expect(allows(policy)).toBe(policy.revision === 'open')
      decided += 1
    }, 1)
    await policy.reload()
    clearInterval(deciding)
    expect(decided).toBeGreaterThan(3)
    expect(allows(policy)).toBe(false)
  })

  test('is loaded once for each of several demands, in order', async () => {
    await using running = await startPolicy(open)
    const { policy, file } = running
    await file.write(closed)
    const results = await Promise.all([policy.reload(), policy.reload(), policy.reload()])
    expect(results).toEqual(['activated', 'unchanged', 'unchanged'])
  })
})

describe('a watched bundle file', () => {
  test('is swapped in when it is written over', async () => {
    await using running = await startPolicy(open, { watch: true })
    await running.file.write(closed)
    expect(await revisionOf(running, 'closed')).toBe('closed')
  })

  test('is swapped in when another file takes its place', async () => {
    await using running = await startPolicy(open, { watch: true })
    const next = join(running.file.directory, 'next')
    await writeFile(next, closed)
    await rename(next, running.file.path)
    expect(await revisionOf(running, 'closed')).toBe('closed')
  })

  test('is swapped in when it was refused and is then mended', async () => {
    await using running = await startPolicy(open, { watch: true })
    await running.file.write(closed.subarray(0, 1000))
    await vi.waitFor(() => expect(running.policy.status().rejected).toBeDefined(), { timeout: 5000 })
    expect(running.policy.revision).toBe('open')
    await running.file.write(closed)
    expect(await revisionOf(running, 'closed')).toBe('closed')
  })

  test('is swapped in the way Kubernetes swaps a volume: by the link that the path leads through', async () => {
    await using outer = await startPolicy(open)
    const volume = join(outer.file.directory, 'volume')
    await mkdir(join(volume, '..2026_1'), { recursive: true })
    await mkdir(join(volume, '..2026_2'))
    await writeFile(join(volume, '..2026_1', 'bundle.tar.gz'), open)
    await writeFile(join(volume, '..2026_2', 'bundle.tar.gz'), closed)
    await symlink('..2026_1', join(volume, '..data'))
    await symlink('..data/bundle.tar.gz', join(volume, 'bundle.tar.gz'))
    await using running = await startPolicy(open, { watch: true, bundlePath: join(volume, 'bundle.tar.gz') })
    expect(running.policy.revision).toBe('open')
    await symlink('..2026_2', join(volume, '..data_tmp'))
    await rename(join(volume, '..data_tmp'), join(volume, '..data'))
    expect(await revisionOf(running, 'closed')).toBe('closed')
  })

  test('is swapped in although its folder never rests', async () => {
    await using running = await startPolicy(open, { watch: true, restatMs: 60_000 })
    const { directory } = running.file
    const restless = setInterval(() => void writeFile(join(directory, 'other'), 'x'), 5)
    await running.file.write(closed)
    expect(await revisionOf(running, 'closed')).toBe('closed')
    clearInterval(restless)
  })

  test('is found again after its folder was taken away and put back', async () => {
    await using outer = await startPolicy(open)
    const folder = join(outer.file.directory, 'folder')
    await mkdir(folder)
    await writeFile(join(folder, 'bundle.tar.gz'), open)
    await using running = await startPolicy(open, {
      watch: true,
      bundlePath: join(folder, 'bundle.tar.gz'),
      restatMs: 20,
    })
    await rm(folder, { recursive: true })
    await mkdir(folder)
    await writeFile(join(folder, 'bundle.tar.gz'), closed)
    expect(await revisionOf(running, 'closed')).toBe('closed')
  })

  test('is not looked at any more once the policy is disposed of', async () => {
    const running = await startPolicy(open, { watch: true })
    await running[Symbol.asyncDispose]()
    expect(running.policy.revision).toBe('open')
    expect(running.events).toHaveLength(1)
  })
})

test('without a bundle there is no policy', async () => {
  await expect(startPolicy(open, { bundlePath: '/nowhere/bundle.tar.gz' })).rejects.toMatchObject({
    name: 'BundleError',
    problem: 'unreadable',
  })
})
