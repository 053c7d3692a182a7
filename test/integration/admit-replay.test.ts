import { expect, it } from 'vitest'
import { startRedis } from '../harness/redis.ts'
import { codeOf, freshProof, startAdmission } from './admit-gateway.ts'

it('a proof used at one gateway is refused at the other, with a challenge', async () => {
  await using redis = await startRedis()
  await using one = await startAdmission({ redis, shares: 2 })
  await using other = await startAdmission({ redis, shares: 2 })
  const replay = freshProof()
  expect(codeOf(await one.admit({ replay }))).toBe('admitted')
  expect(await other.admit({ replay, access: 'write' })).toMatchObject({
    ok: false,
    refusal: {
      code: 'identity.proof_replayed',
      headers: ['WWW-Authenticate', 'DPoP error="invalid_dpop_proof"'],
    },
  })
})

it('a proof presented to two gateways at the same time is accepted once', async () => {
  await using redis = await startRedis()
  await using one = await startAdmission({ redis, shares: 2 })
  await using other = await startAdmission({ redis, shares: 2 })
  for (let round = 0; round < 50; round++) {
    const replay = freshProof()
    const verdicts = await Promise.all([
      one.admit({ replay }),
      other.admit({ replay }),
      one.admit({ replay }),
    ])
    expect(verdicts.map(codeOf).filter((code) => code === 'admitted')).toHaveLength(1)
  }
})

it('a proof used before a restart of the gateway is refused after it', async () => {
  await using redis = await startRedis()
  const replay = freshProof()
  const before = await startAdmission({ redis })
  expect(codeOf(await before.admit({ replay }))).toBe('admitted')
  before.crash()
  await using after = await startAdmission({ redis })
  expect(codeOf(await after.admit({ replay }))).toBe('identity.proof_replayed')
})
