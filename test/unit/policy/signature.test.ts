import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BundleAlgorithm } from '../../../gateway/config/policy-config.ts'
import { ConfigError } from '../../../gateway/config/problem.ts'
import { openBundle } from '../../../gateway/policy/bundles/bundle.ts'
import { readVerification } from '../../../gateway/policy/bundles/signature.ts'
import { FRIEND, startPolicy } from '../../harness/opa.ts'
import { createBundleKey, signedBundle } from '../../harness/signed-bundle.ts'
import { altered, claiming, key, signed, startVerifications, type Verifications } from './altered-bundle.ts'

let verifications: Verifications
let configOf: Verifications['configOf']
let open: Verifications['open']
beforeAll(async () => {
  verifications = await startVerifications()
  ;({ configOf, open } = verifications)
})
afterAll(() => verifications[Symbol.asyncDispose]())

describe('a bundle that opa signed', () => {
  test.each<BundleAlgorithm>(['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'])(
    'with %s is opened',
    async (algorithm) => {
      const own = createBundleKey(algorithm)
      const bundle = await signedBundle({ key: own, registry: '{"limit": 2.50, "é": "<&>"}' })
      await expect(open(bundle, { scope: '' }, own)).resolves.toMatchObject({ revision: 'signed' })
      const other = createBundleKey(algorithm)
      await expect(open(bundle, { scope: '' }, other)).rejects.toMatchObject({ problem: 'signature' })
    },
  )

  test('is opened under the name of its key, whether in the header or among the claims', async () => {
    await expect(open(signed, { keyId: undefined })).resolves.toBeDefined()
    await expect(open(claiming({ keyid: 'k1' }), { keyId: 'k1' })).resolves.toBeDefined()
    await expect(open(claiming({}, { kid: 'k1' }), { keyId: 'k1' })).resolves.toBeDefined()
  })

  test('decides calls like any other', async () => {
    const verification = await configOf(key, { scope: 'prod' })
    await using running = await startPolicy(signed, { verification })
    expect(running.policy.decide(FRIEND)).toMatchObject({ ok: true, value: { allow: true } })
  })

  test('never gives way to one that is not signed, or not by the same key', async () => {
    const verification = await configOf(key, { scope: 'prod' })
    await using running = await startPolicy(signed, { verification })
    for (const bundle of [
      altered({ '.signatures.json': undefined }),
      await signedBundle({ key: createBundleKey('ES256'), scope: 'prod' }),
    ]) {
      await running.file.write(bundle)
      await expect(running.policy.reload()).resolves.toBe('rejected')
      expect(running.policy.status().rejected).toMatchObject({ problem: 'signature' })
      expect(running.events.at(-1)).toMatchObject({ type: 'rejected', problem: 'signature' })
      expect(running.policy.decide(FRIEND)).toMatchObject({ ok: true, value: { allow: true } })
    }
  })

  test('is refused while nothing verifies it', async () => {
    await expect(openBundle(signed)).rejects.toMatchObject({ problem: 'signature' })
  })

  test('may be written anew with other space and another order of names: the meaning is signed', async () => {
    const spaced = '{ "registry" : {"b":\t2.50 ,"\\u0061": { "y":1e2} } }\n'
    await expect(open(altered({ 'data.json': spaced }))).resolves.toBeDefined()
  })
})

describe('a key', () => {
  test.each<[string, BundleAlgorithm, () => string]>([
    ['is of another kind', 'ES256', () => createBundleKey('RS256').publicPem],
    ['is on another curve', 'ES256', () => createBundleKey('ES384').publicPem],
    ['is an elliptic one for RSA', 'RS256', () => key.publicPem],
    ['is private', 'ES256', () => String(key.privateKey.export({ type: 'pkcs8', format: 'pem' }))],
    ['is no key', 'ES256', () => 'secret'],
  ])('is refused when it %s', async (_, algorithm, pem) => {
    const config = await configOf({ ...key, publicPem: pem(), algorithm })
    expect(() => readVerification(config)).toThrow(ConfigError)
  })
})
