import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { startBundleServer } from '../../harness/bundle-server.ts'
import { allows } from '../../harness/opa.ts'
import { createBundleKey, signedBundle } from '../../harness/signed-bundle.ts'
import {
  allowsNobody,
  closed,
  inForce,
  open,
  refused,
  type ServiceScene,
  setServiceScene,
} from './service-scene.ts'

let scene: ServiceScene
let folder: ServiceScene['folder']
let kept: ServiceScene['kept']
let events: ServiceScene['events']
let policyFrom: ServiceScene['policyFrom']
beforeEach(async () => {
  scene = await setServiceScene()
  ;({ folder, kept, events, policyFrom } = scene)
})
afterEach(() => scene[Symbol.asyncDispose]())

describe('the last good bundle', () => {
  test('is kept for this account alone, whole, and under no other name', async () => {
    await using server = await startBundleServer(open)
    await using policy = await policyFrom(server)
    server.publish(closed)
    await inForce(policy, 'closed')
    await vi.waitFor(async () => {
      const names = await readdir(kept)
      expect(names).toHaveLength(1)
      expect(await readFile(join(kept, names[0] ?? ''))).toEqual(closed)
    })
    const [name = ''] = await readdir(kept)
    expect((await stat(join(kept, name))).mode & 0o777).toBe(0o600)
    expect((await stat(kept)).mode & 0o777).toBe(0o700)
  })

  test('is used at a start while the service is down, and confirmed when it is back', async () => {
    await using server = await startBundleServer(open)
    await (await policyFrom(server))[Symbol.asyncDispose]()
    server.answerWith((_, response) => void response.destroy())
    await using policy = await policyFrom(server)
    expect(allows(policy)).toBe(true)
    expect(policy.status()).toMatchObject({ kept: true, rejected: { problem: 'service' } })
    server.answerWith(undefined)
    await vi.waitFor(() => expect(policy.status()).toMatchObject({ kept: false, rejected: undefined }))
    expect(events.map(({ type }) => type).slice(0, 3)).toEqual(['activated', 'activated', 'rejected'])
    expect(events.at(-1)?.type).toBe('confirmed')
  })

  test('is used at a start while the service gives a bad one', async () => {
    await using server = await startBundleServer(open)
    await (await policyFrom(server))[Symbol.asyncDispose]()
    server.publish(allowsNobody)
    await using policy = await policyFrom(server)
    expect(policy.revision).toBe('open')
    expect(policy.status()).toMatchObject({ kept: true, rejected: { problem: 'self_test' } })
  })

  test('is never replaced by one that was refused', async () => {
    await using server = await startBundleServer(open)
    await using policy = await policyFrom(server)
    server.publish(allowsNobody)
    await refused(policy, 'self_test')
    const [name = ''] = await readdir(kept)
    expect(await readFile(join(kept, name))).toEqual(open)
  })

  test('is of its service alone', async () => {
    await using server = await startBundleServer(open)
    await (await policyFrom(server))[Symbol.asyncDispose]()
    server.answerWith((_, response) => void response.writeHead(503).end())
    await expect(policyFrom(server, { resource: 'bundles/other' })).rejects.toMatchObject({
      problem: 'service',
    })
  })

  test('is verified again', async () => {
    const key = createBundleKey('ES256')
    const keyFile = join(folder.path, 'key.pem')
    await writeFile(keyFile, key.publicPem)
    const verification = { keyFile, algorithm: key.algorithm, scope: '', keyId: undefined }
    await using server = await startBundleServer(await signedBundle({ key }))
    await (await policyFrom(server, {}, { verification }))[Symbol.asyncDispose]()
    server.answerWith((_, response) => void response.writeHead(503).end())
    await (await policyFrom(server, {}, { verification }))[Symbol.asyncDispose]()
    const [name = ''] = await readdir(kept)
    await writeFile(join(kept, name), open)
    await expect(policyFrom(server, {}, { verification })).rejects.toMatchObject({
      problem: 'signature',
      message: expect.stringMatching(/answered 503.*is not signed/) as unknown,
    })
  })

  test('is not kept by a look that is none of a running gateway', async () => {
    await using server = await startBundleServer(open)
    await using _policy = await policyFrom(server, {}, { watch: false })
    await expect(readdir(kept)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('that cannot be kept is in force all the same, and that is said', async () => {
    await writeFile(kept, 'a file where the folder should be')
    await using server = await startBundleServer(open)
    await using policy = await policyFrom(server)
    expect(allows(policy)).toBe(true)
    expect(events.map(({ type }) => type)).toEqual(['activated', 'not_kept'])
  })

  test('does not exist at a first start, which then fails', async () => {
    await using server = await startBundleServer(open)
    server.answerWith((_, response) => void response.writeHead(503).end())
    await expect(policyFrom(server)).rejects.toMatchObject({ problem: 'service' })
  })
})
