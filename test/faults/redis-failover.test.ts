import { expect, it } from 'vitest'
import { startRedisSentinel } from '../harness/redis.ts'
import { until } from '../harness/until.ts'
import { codeOf, freshProof, startAdmission } from '../integration/admit-gateway.ts'

it.each(['killed', 'frozen'] as const)(
  'counts again within 2 s of the promotion when the primary is %s',
  async (how) => {
    await using fleet = await startRedisSentinel()
    const redis = {
      url: fleet.primary.url,
      sentinels: fleet.sentinels,
      sentinelName: fleet.name,
      timeoutMs: 100,
    }
    await using gateway = await startAdmission({ redis })
    const replay = freshProof()
    expect(codeOf(await gateway.admit({ replay, access: 'write' }))).toBe('admitted')
    await fleet.primary.admin.wait(1, 1_000)

    if (how === 'killed') await fleet.primary.kill()
    else fleet.primary.pause()
    let served = false
    let promotedMs = Number.POSITIVE_INFINITY
    const promoted = fleet.promoted().then(() => {
      promotedMs = performance.now()
    })
    await until(async () => {
      served = (await gateway.admit({ access: 'write' })).ok
      return served
    })
    await promoted
    expect(performance.now() - promotedMs).toBeLessThan(2_000)
    expect(codeOf(await gateway.admit({ replay, access: 'write' }))).toBe('identity.proof_replayed')
    if (how === 'frozen') fleet.primary.resume()
  },
)

it('leaves a primary that has been demoted under it', async () => {
  await using fleet = await startRedisSentinel()
  const redis = {
    url: fleet.primary.url,
    sentinels: fleet.sentinels,
    sentinelName: fleet.name,
    timeoutMs: 100,
  }
  await using gateway = await startAdmission({ redis })
  const [sentinel] = fleet.sentinels
  if (sentinel === undefined) throw new Error('no sentinel')
  const { Redis } = await import('ioredis')
  const operator = new Redis(sentinel.port, sentinel.host)
  await operator.call('SENTINEL', 'FAILOVER', fleet.name)
  await fleet.promoted()
  const promotedMs = performance.now()
  await until(async () => {
    const verdict = await gateway.admit({ access: 'write' })
    return verdict.ok && (await fleet.replica.admin.keys('tg:*')).length > 0
  }, 5)
  expect(performance.now() - promotedMs).toBeLessThan(2_000)
  operator.disconnect()
})
