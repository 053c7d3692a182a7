import { generateKeyPairSync } from 'node:crypto'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { enlistKey, listKeys, openSigner } from '../../../../gateway/audit/tlog/signing-key.ts'
import { createKeySigner } from '../../../../gateway/audit/tlog/signer.ts'
import { formatVerifierKey } from '../../../../gateway/audit/tlog/verifier-key.ts'
import { temporaryDirectory } from '../../../harness/temporary-directory.ts'

describe('the signing key', () => {
  it('is made at the first start, for its owner alone, and kept', async () => {
    await using directory = await temporaryDirectory()
    const file = join(directory.path, 'signing.key')
    const first = await openSigner('gateway.example', file)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await readFile(file, 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----/)
    const second = await openSigner('gateway.example', file)
    expect(formatVerifierKey(second.key)).toBe(formatVerifierKey(first.key))
    expect(first.key.verify('text\n', await second.sign('text\n'))).toBe(true)
  })

  it('is one for all workers that start together', async () => {
    await using directory = await temporaryDirectory()
    const file = join(directory.path, 'signing.key')
    const signers = await Promise.all(Array.from({ length: 16 }, () => openSigner('gateway.example', file)))
    expect(new Set(signers.map(({ key }) => formatVerifierKey(key))).size).toBe(1)
  })

  it('may be one of P-256, and nothing else', async () => {
    await using directory = await temporaryDirectory()
    const file = join(directory.path, 'signing.key')
    const write = (key: ReturnType<typeof generateKeyPairSync>['privateKey']): Promise<void> =>
      writeFile(file, key.export({ type: 'pkcs8', format: 'pem' }))
    await write(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
    const signer = await openSigner('gateway.example', file)
    expect(signer.key.type).toBe(2)
    expect(signer.key.verify('text\n', await signer.sign('text\n'))).toBe(true)
    await write(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey)
    await expect(openSigner('gateway.example', file)).rejects.toThrow(file)
    await writeFile(file, 'no key at all')
    // What is wrong with it is told, what is in it is not.
    await expect(openSigner('gateway.example', file)).rejects.not.toThrow(/no key at all/)
  })
})

describe('the keys that have signed in a directory', () => {
  it('are listed once each, the old beside the new', async () => {
    await using directory = await temporaryDirectory()
    const [old, next] = ['a', 'b'].map(() =>
      createKeySigner('gateway.example', generateKeyPairSync('ed25519').privateKey),
    )
    if (old === undefined || next === undefined) throw new Error('no keys')
    for (const signer of [old, next, old]) await enlistKey(directory.path, signer.key)
    const listed = (await listKeys(directory.path)).map(formatVerifierKey).sort()
    expect(listed).toEqual([old, next].map(({ key }) => formatVerifierKey(key)).sort())
  })

  it('are none where nothing was signed, and a file that is no key is named', async () => {
    await using directory = await temporaryDirectory()
    expect(await listKeys(directory.path)).toEqual([])
    await mkdir(join(directory.path, 'keys'))
    await writeFile(join(directory.path, 'keys', '12345678'), 'hello\n')
    await expect(listKeys(directory.path)).rejects.toMatchObject({ name: 'CorruptLog' })
  })
})
