import { createHmac, createSecretKey, randomBytes, type KeyObject } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makeOnce, readIfThere } from '../make-once.ts'

const KEY_BYTES = 32
export const KEYS_FOLDER = 'keys'

/** Which key encrypts: that of a subject in a period. */
export interface KeyName {
  /** UTC day, such as `2026-11-25`. */
  readonly period: string
  /** Name of the subject's key; says nothing of the subject without the master key. */
  readonly subject: string
}

/** The keys of one store of disclosures. */
export interface DisclosureKeys {
  /** Name of the key of a person or service. */
  subjectOf(tenant: string, principal: string): string
  /** The key, made if it is not there. */
  obtain(name: KeyName): Promise<KeyObject>
  /** The key; `undefined` when a part of it has been deleted, and everything under it with it. */
  find(name: KeyName): Promise<KeyObject | undefined>
}

/**
 * Every key is made of three, and without any one of them it cannot be made again: the master key, which lies apart
 * from the store; one for each day; one for each subject. So deleting one small file forgets a day, or a person,
 * for good, wherever copies of the encrypted files have got to.
 */
export async function openDisclosureKeys(directory: string, masterKeyFile: string): Promise<DisclosureKeys> {
  await mkdir(join(directory, KEYS_FOLDER), { recursive: true, mode: 0o700 })
  await mkdir(dirname(masterKeyFile), { recursive: true, mode: 0o700 })
  const master = expectKey(await makeOnce(masterKeyFile, newKey), masterKeyFile)
  return keysUnder(directory, master)
}

/** The same for reading only; `undefined` when the master key is not there. */
export async function findDisclosureKeys(
  directory: string,
  masterKeyFile: string,
): Promise<DisclosureKeys | undefined> {
  const master = await readIfThere(masterKeyFile)
  return master && keysUnder(directory, expectKey(master, masterKeyFile))
}

function keysUnder(directory: string, master: Buffer): DisclosureKeys {
  const pathsOf = ({ period, subject }: KeyName): [string, string] => [
    join(directory, KEYS_FOLDER, `period-${period}.key`),
    join(directory, KEYS_FOLDER, `subject-${subject}.key`),
  ]
  return {
    subjectOf: (tenant, principal) =>
      createHmac('sha256', master)
        .update(`subject\0${JSON.stringify([tenant, principal])}`)
        .digest('hex')
        .slice(0, 32),
    async obtain(name) {
      const [period, subject] = pathsOf(name)
      return combine(master, await makeOnce(period, newKey), await makeOnce(subject, newKey))
    },
    async find(name) {
      if (!isKeyName(name)) return undefined
      const [period, subject] = await Promise.all(pathsOf(name).map(readIfThere))
      return period && subject && combine(master, period, subject)
    },
  }
}

/** The name comes from a file that anybody may have written: it must not lead out of the folder. */
export function isKeyName({ period, subject }: KeyName): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(period) && /^[0-9a-f]{32}$/.test(subject)
}

/** As a key object: of bytes Node makes one anew for each block, by way of an error with its stack. */
function combine(master: Buffer, period: Buffer, subject: Buffer): KeyObject {
  const key = createHmac('sha256', master).update('disclosures 1\0').update(period).update(subject).digest()
  return createSecretKey(key)
}

function newKey(): Buffer {
  return randomBytes(KEY_BYTES)
}

function expectKey(key: Buffer, path: string): Buffer {
  if (key.length === KEY_BYTES) return key
  throw new Error(`${path} is not a key of ${KEY_BYTES} bytes`)
}
