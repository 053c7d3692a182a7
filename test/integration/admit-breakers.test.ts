import { expect, it } from 'vitest'
import { startRedis } from '../harness/redis.ts'
import { codeOf, freshProof, leaseOf, startAdmission } from './admit-gateway.ts'

it('an agent that fails too often is stopped at every gateway, and others are not', async () => {
  await using redis = await startRedis()
  const agentBreaker = { failures: 3, windowMs: 60_000, openMs: 30_000 }
  await using one = await startAdmission({ redis, agentBreaker })
  await using other = await startAdmission({ redis, agentBreaker })
  for (let failure = 0; failure < 3; failure++) {
    leaseOf(await one.admit()).settle({
      outcome: 'policy.denied',
      attempted: true,
      upstreamStatus: 0,
      upstreamMs: 0,
    })
  }
  expect(codeOf(await one.admit())).toBe('breaker.agent_open')
  const stopped = await other.admit()
  expect(codeOf(stopped)).toBe('breaker.agent_open')
  const retryAfterMs = stopped.ok ? 0 : stopped.refusal.retryAfterMs
  expect(retryAfterMs).toBeGreaterThan(29_000)
  expect(codeOf(await other.admit({ agent: 'other' }))).toBe('admitted')
})

it('a failing upstream is left alone without asking the store', async () => {
  await using redis = await startRedis()
  await using gateway = await startAdmission({ redis })
  for (let failure = 0; failure < 3; failure++) {
    leaseOf(await gateway.admit()).settle({
      outcome: 'upstream.timeout',
      attempted: true,
      upstreamStatus: 0,
      upstreamMs: 0,
    })
  }
  await redis.admin.config('RESETSTAT')
  const refused = await gateway.admit({ replay: freshProof() })
  expect(refused).toMatchObject({ ok: false, refusal: { code: 'breaker.upstream_open' } })
  expect(await redis.admin.info('commandstats')).not.toContain('evalsha')
})
