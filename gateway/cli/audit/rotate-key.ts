import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import { syncDirectory } from '../../audit/log-disk.ts'
import { writeDurably } from '../../audit/make-once.ts'
import { signingKeyFileOf } from '../../audit/open-signing.ts'
import { signHandover, storeHandover } from '../../audit/tlog/key-handover.ts'
import { openSigner } from '../../audit/tlog/signing-key.ts'
import { formatVerifierKey } from '../../audit/tlog/verifier-key.ts'
import type { AuditConfig } from '../../config/audit-config.ts'
import { loadSections } from '../../config/load-sections.ts'
import { type Command, UsageError } from '../command.ts'

const USAGE = `toolgate audit rotate-key [--new-key FILE] [--config FILE] [--json]

Lets another key sign the audit logs from the next start on. The key in use signs that it hands over, so that
\`toolgate audit verify --key\` with the old key finds the new one by itself; then the new key takes the place of the old
one, which is gone. Running gateways go on with the old key until they start anew. Prints the new verifier key: hand it
to witnesses, and to auditors who are to trust nothing older.

A key that was stolen cannot be trusted to hand over: put another one in its place instead, and give the auditor that.

  --new-key FILE   the key that takes over, Ed25519 or ECDSA P-256, PKCS #8 in PEM; stays where it is, for you to name
                   it in audit.signingKeyFile. Without it a new Ed25519 key replaces the file of the old one.

Exit code 0 when the handover is kept; 1 when there is no key yet, or nothing can be written.
`

export const rotateKey: Command = {
  summary: 'let another key sign the audit logs',
  usage: USAGE,
  async run(args, { environment, print }) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        'new-key': { type: 'string' },
        config: { type: 'string', default: 'toolgate.yaml' },
        json: { type: 'boolean', default: false },
      },
    })
    const { audit } = loadSections(values.config, ['audit'], { environment })
    const given = values['new-key']
    if (given !== undefined && !existsSync(given)) throw new UsageError(`no such file: ${given}`)
    // Opened, it would be made: a key that has signed nothing has nothing to hand over.
    const file = signingKeyFileOf(audit)
    if (!existsSync(file)) throw new Error(`no key has signed yet: there is no ${file}`)
    const { before, after } = await (given === undefined ? replaceKey(audit) : handOver(audit, given))
    if (values.json) print(`${JSON.stringify({ before, after }, undefined, 2)}\n`)
    else print(`${after}\n`)
    return 0
  },
}

/** The handover is kept before the file changes: a new key without one would be believed by nobody. */
async function replaceKey(audit: AuditConfig): Promise<{ before: string; after: string }> {
  const file = signingKeyFileOf(audit)
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  const { privateKey } = generateKeyPairSync('ed25519')
  await writeDurably(draft, Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })))
  try {
    const keys = await handOver(audit, draft)
    await rename(draft, file)
    await syncDirectory(dirname(file))
    return keys
  } finally {
    await rm(draft, { force: true })
  }
}

async function handOver(audit: AuditConfig, newKeyFile: string): Promise<{ before: string; after: string }> {
  const file = signingKeyFileOf(audit)
  const before = await openSigner(audit.deployment, file)
  const after = await openSigner(audit.deployment, newKeyFile)
  const [from, to] = [formatVerifierKey(before.key), formatVerifierKey(after.key)]
  if (from === to) throw new UsageError('that is the key in use')
  await storeHandover(audit.directory, await signHandover(before, after, new Date().toISOString()))
  return { before: from, after: to }
}
