import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CorruptLog } from '../corrupt-log.ts'
import { hasCode, syncDirectory } from '../log-disk.ts'
import { makeOnce, readIfThere } from '../make-once.ts'
import { createKeySigner, type Signer } from './signer.ts'
import { formatVerifierKey, parseVerifierKey, type VerifierKey } from './verifier-key.ts'

/** In the audit directory, unless the configuration names another place. */
export const SIGNING_KEY_FILE = 'signing.key'
/** Every key that has signed in this audit directory, a file each. */
const KEYS_DIRECTORY = 'keys'

/** Opens the key that signs as `name`, PKCS #8 in PEM; made at the first start, once for workers that start together. */
export async function openSigner(name: string, file: string): Promise<Signer> {
  const pem = await makeOnce(file, () =>
    Buffer.from(generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })),
  )
  try {
    return createKeySigner(name, createPrivateKey(pem))
  } catch (cause) {
    throw new Error(`cannot sign the audit log with the key in ${file}`, { cause })
  }
}

/** Writes down that `key` signs here, and gives back every key that has; `isNew` when it was not among them. */
export async function enlistKey(
  auditDirectory: string,
  key: VerifierKey,
): Promise<{ readonly keys: VerifierKey[]; readonly isNew: boolean }> {
  const directory = join(auditDirectory, KEYS_DIRECTORY)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await syncDirectory(auditDirectory)
  const line = formatVerifierKey(key)
  const name = line.split('+')[1] ?? ''
  const isNew = (await readIfThere(join(directory, name))) === undefined
  await makeOnce(join(directory, name), () => Buffer.from(`${line}\n`))
  return { keys: await listKeys(auditDirectory), isNew }
}

/** The keys that have signed here, as the directory itself has it: whoever can write there can add one. */
export async function listKeys(auditDirectory: string): Promise<VerifierKey[]> {
  const directory = join(auditDirectory, KEYS_DIRECTORY)
  const names = await readdir(directory).catch((cause: unknown) => {
    if (hasCode(cause, 'ENOENT')) return []
    throw cause
  })
  const keys: VerifierKey[] = []
  for (const name of names.filter((name) => /^[0-9a-f]{8}$/.test(name)).sort()) {
    keys.push(await readKey(join(directory, name)))
  }
  return keys
}

async function readKey(file: string): Promise<VerifierKey> {
  const text = await readFile(file, 'utf8')
  try {
    return parseVerifierKey(text.trimEnd())
  } catch {
    throw new CorruptLog(file, 0, 'this is no verifier key')
  }
}
