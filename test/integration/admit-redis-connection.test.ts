import { expect, it } from 'vitest'
import { systemClock } from '../../gateway/lib/clock.ts'
import { createRedisAdmissionStore } from '../../gateway/store/redis-admission-store.ts'
import { createRedisClient, type RedisClientOptions } from '../../gateway/store/redis-client.ts'
import { createPki } from '../harness/pki.ts'
import { type RunningRedis, startRedis } from '../harness/redis.ts'
import { until } from '../harness/until.ts'
import { codeOf, startAdmission } from './admit-gateway.ts'

async function startWithTls(): Promise<{ redis: RunningRedis; caFile: string } & AsyncDisposable> {
  const pki = createPki()
  const { certFile, keyFile } = pki.server()
  const redis = await startRedis({
    args: ['--requirepass', 'right'],
    tls: { certificateFile: certFile, keyFile, caFile: pki.caFile },
  })
  return {
    redis,
    caFile: pki.caFile,
    [Symbol.asyncDispose]: async () => {
      await redis[Symbol.asyncDispose]()
      await pki[Symbol.asyncDispose]()
    },
  }
}

/** The first error that the connection reports. */
async function firstError(wanted: Partial<RedisClientOptions> & { readonly url: string }): Promise<Error> {
  const options = {
    password: undefined,
    sentinels: [],
    sentinelName: undefined,
    timeoutMs: 250,
    caFile: undefined,
  }
  const errors: Error[] = []
  const client = createRedisClient({ ...options, ...wanted }, (cause) => errors.push(cause))
  const store = createRedisAdmissionStore({ client, keyPrefix: 'tg:', clock: systemClock })
  await until(() => errors.length > 0)
  await expect(store.probe()).rejects.toThrow(/writeable|closed|timed out/)
  await store.close()
  return errors[0] ?? new Error('none')
}

it('speaks TLS to a Redis whose authority it was given, with a password', async () => {
  await using server = await startWithTls()
  const redis = { url: server.redis.url, password: 'right', caFile: server.caFile, timeoutMs: 1_000 }
  await using gateway = await startAdmission({ redis })
  expect(codeOf(await gateway.admit({ access: 'write' }))).toBe('admitted')
})

it('does not speak to a Redis whose certificate nobody vouches for', async () => {
  await using server = await startWithTls()
  const error = await firstError({ url: server.redis.url, password: 'right' })
  expect(error.message).toMatch(/certificate/)
})

it('reports a wrong password, without the password', async () => {
  await using server = await startWithTls()
  const error = await firstError({ url: server.redis.url, caFile: server.caFile, password: 'wrong-secret' })
  expect(error.message).toMatch(/WRONGPASS|NOAUTH/)
  expect(`${error.message}${error.stack ?? ''}`).not.toContain('wrong-secret')
})
