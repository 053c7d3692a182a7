import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { AuditConfig } from '../config/audit-config.ts'
import type { SigningKeyEntry } from './change-entry.ts'
import type { Signing } from './tlog/complete-log.ts'
import { listHandovers } from './tlog/key-handover.ts'
import { enlistKey, openSigner, SIGNING_KEY_FILE } from './tlog/signing-key.ts'
import { formatVerifierKey } from './tlog/verifier-key.ts'

export interface OpenedSigning extends Signing {
  /** Other keys have signed here, and this one never has. */
  readonly succeeds: boolean
}

/** Opens the key that signs the logs of this audit directory, and writes down that it does. */
export async function openSigning(config: AuditConfig): Promise<OpenedSigning> {
  const { directory, deployment } = config
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const signer = await openSigner(deployment, signingKeyFileOf(config))
  const { keys, isNew } = await enlistKey(directory, signer.key)
  return { deployment, signer, keys, succeeds: isNew && keys.length > 1 }
}

export function signingKeyFileOf({ directory, signingKeyFile }: AuditConfig): string {
  return signingKeyFile ?? join(directory, SIGNING_KEY_FILE)
}

/** That another key signs from here on, for the first log under it; `undefined` where there is nothing to tell. */
export async function signingKeyEntry(
  { signer, succeeds }: OpenedSigning,
  { directory }: AuditConfig,
  time: string,
): Promise<SigningKeyEntry | undefined> {
  if (!succeeds) return undefined
  const key = formatVerifierKey(signer.key)
  const handover = (await listHandovers(directory)).find(({ after }) => formatVerifierKey(after) === key)
  const before = handover === undefined ? '' : formatVerifierKey(handover.before)
  return { before, id: key, note: handover?.note ?? '', time, type: 'key', use: 'signing', v: 1 }
}
