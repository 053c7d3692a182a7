import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { AuditConfig } from '../config/audit-config.ts'
import type { Signing } from './tlog/complete-log.ts'
import { enlistKey, openSigner, SIGNING_KEY_FILE } from './tlog/signing-key.ts'

/** Opens the key that signs the logs of this audit directory, and writes down that it does. */
export async function openSigning({ directory, deployment, signingKeyFile }: AuditConfig): Promise<Signing> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const signer = await openSigner(deployment, signingKeyFile ?? join(directory, SIGNING_KEY_FILE))
  return { deployment, signer, keys: await enlistKey(directory, signer.key) }
}
