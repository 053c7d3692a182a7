import { generateKeyPairSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type AuditEntry, decodeEntry } from '../../gateway/audit/entry.ts'
import { FleetLog } from '../../gateway/audit/fleet-log.ts'
import { openAudit } from '../../gateway/audit/open-audit.ts'
import { readEntries } from '../../gateway/audit/read-entries.ts'
import { parseHandover, signHandover } from '../../gateway/audit/tlog/key-handover.ts'
import { createKeySigner } from '../../gateway/audit/tlog/signer.ts'
import { runAudit } from '../harness/audit-command.ts'
import { auditConfig } from '../harness/audit-config.ts'
import { syntheticOutcome, syntheticSealed } from '../harness/synthetic-call.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

/** A gateway's record in a folder of its own, and the commands that belong to it. */
async function recordedGateway() {
  const folder = await temporaryDirectory()
  const directory = join(folder.path, 'audit')
  const config = auditConfig(directory, {
    disclosures: { ...auditConfig(folder.path).disclosures, enabled: false },
  })
  const file = join(folder.path, 'toolgate.yaml')
  const write = (signingKeyFile?: string): Promise<void> =>
    writeFile(
      file,
      JSON.stringify({
        audit: { directory, deployment: config.deployment, ...(signingKeyFile && { signingKeyFile }) },
        identity: {
          issuers: [
            { issuer: 'https://issuer.example', audiences: ['a'], jwks: { uri: 'https://issuer.example/k' } },
          ],
        },
        connectors: { github: { credential: { type: 'none' } } },
      }),
    )
  await write()
  return {
    directory,
    write,
    /** One process life with one call, watched by a fleet log. */
    async live(signingKeyFile?: string): Promise<void> {
      const used = { ...config, signingKeyFile }
      await using fleet = await FleetLog.open({ config: used, version: '1' })
      await using audit = await openAudit({ config: used, node: 'worker-0', version: '1' })
      await fleet.watch()
      const sealed = syntheticSealed({ access: 'write' })
      await audit.recorder.intend(sealed)
      await audit.recorder.conclude(sealed.permit.call, syntheticOutcome())
    },
    rotate: (...args: string[]) => runAudit(['rotate-key', '--config', file, ...args]),
    verify: (...keys: string[]) =>
      runAudit(['verify', directory, '--complete', ...keys.flatMap((key) => ['--key', key])]),
    async keys(): Promise<string[]> {
      return (await runAudit(['key', directory])).printed.trim().split('\n')
    },
    async keyEntries(): Promise<AuditEntry[]> {
      const found: AuditEntry[] = []
      for await (const { bytes } of readEntries(directory)) {
        const entry = decodeEntry(bytes)
        if (entry?.type === 'key') found.push(entry)
      }
      return found
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

function newKeyFile(path: string): Promise<void> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return writeFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }))
}

describe('toolgate audit rotate-key', () => {
  it('lets an auditor who knows the first key verify what the next ones signed', async () => {
    await using gateway = await recordedGateway()
    await gateway.live()
    const [first = ''] = await gateway.keys()
    const second = (await gateway.rotate()).printed.trim()
    await gateway.live()
    const third = (await gateway.rotate()).printed.trim()
    await gateway.live()
    expect(new Set(await gateway.keys())).toEqual(new Set([first, second, third]))
    const verified = await gateway.verify(first)
    expect([verified.exitCode, verified.printed]).toEqual([0, expect.stringContaining('all as signed')])
  })

  it('gives a later key no say over what came before it', async () => {
    await using gateway = await recordedGateway()
    await gateway.live()
    const second = (await gateway.rotate()).printed.trim()
    await gateway.live()
    const verified = await gateway.verify(second)
    expect(verified.exitCode).toBe(1)
    expect(verified.printed).toContain('checkpoint.unsigned')
  })

  it('puts the change on record, with the handover, once', async () => {
    await using gateway = await recordedGateway()
    await gateway.live()
    const [first = ''] = await gateway.keys()
    const second = (await gateway.rotate()).printed.trim()
    await gateway.live()
    await gateway.live()
    const entries = await gateway.keyEntries()
    expect(entries).toMatchObject([{ use: 'signing', before: first, id: second }])
    const [entry] = entries
    expect(entry !== undefined && 'note' in entry && parseHandover(entry.note)).toMatchObject({
      before: { publicKey: expect.anything() as unknown },
    })
  })

  it('replaces the key file by one for its owner alone, and leaves nothing beside it', async () => {
    await using gateway = await recordedGateway()
    await gateway.live()
    const file = join(gateway.directory, 'signing.key')
    const before = readFileSync(file, 'utf8')
    await gateway.rotate()
    expect(readFileSync(file, 'utf8')).not.toBe(before)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect((await readdir(gateway.directory)).filter((name) => name.startsWith('signing.key'))).toEqual([
      'signing.key',
    ])
  })

  it('hands over to a key that is kept elsewhere', async () => {
    await using gateway = await recordedGateway()
    await gateway.live()
    const [first = ''] = await gateway.keys()
    const file = join(gateway.directory, '..', 'next.key')
    await newKeyFile(file)
    expect((await gateway.rotate('--new-key', file)).exitCode).toBe(0)
    await gateway.write(file)
    await gateway.live(file)
    expect((await gateway.verify(first)).exitCode).toBe(0)
  })

  it('says that there is nothing to hand over before a key has signed', async () => {
    await using gateway = await recordedGateway()
    const { exitCode, complained } = await gateway.rotate()
    expect(exitCode).toBe(1)
    expect(complained).toContain('no key has signed yet')
  })

  it('is not what makes a key that was just put in place believed', async () => {
    await using gateway = await recordedGateway()
    await gateway.live()
    const [first = ''] = await gateway.keys()
    const file = join(gateway.directory, '..', 'stolen.key')
    await newKeyFile(file)
    await gateway.live(file)
    const verified = await gateway.verify(first)
    expect(verified.exitCode).toBe(1)
    expect(verified.printed).toContain('checkpoint.unsigned')
    expect(await gateway.keyEntries()).toMatchObject([{ use: 'signing', before: '', note: '' }])
  })
})

/** The lines of the signatures, each with its newline. */
function signaturesOf(note: string): string[] {
  return note.match(/^— .*\n/gm) ?? []
}

describe('a handover', () => {
  const signerOf = (name: string) => createKeySigner(name, generateKeyPairSync('ed25519').privateKey)

  it('is none where either key has not signed, or the text was changed', async () => {
    const [before, after, other] = ['gw', 'gw', 'gw'].map(signerOf)
    if (before === undefined || after === undefined || other === undefined) throw new Error('no signers')
    const { note } = await signHandover(before, after, '2026-11-26T00:00:00.000Z')
    expect(parseHandover(note)).toBeDefined()
    const [oldSignature = '', newSignature = ''] = signaturesOf(note)
    expect(parseHandover(note.replace(oldSignature, ''))).toBeUndefined()
    expect(parseHandover(note.replace(newSignature, ''))).toBeUndefined()
    expect(parseHandover(note.replace('2026', '2027'))).toBeUndefined()
    const { note: foreign } = await signHandover(other, after, '2026-11-26T00:00:00.000Z')
    const [otherSignature = ''] = signaturesOf(foreign)
    expect(parseHandover(note.replace(oldSignature, otherSignature))).toBeUndefined()
  })

  it('stays within one deployment', async () => {
    const { note } = await signHandover(signerOf('gw.one'), signerOf('gw.two'), '2026-11-26T00:00:00.000Z')
    expect(parseHandover(note)).toBeUndefined()
  })

  it('planted in the directory is followed only from a key that is believed', async () => {
    await using gateway = await recordedGateway()
    await gateway.live()
    const [first = ''] = await gateway.keys()
    const file = join(gateway.directory, '..', 'thief.key')
    await newKeyFile(file)
    const [one, two] = [signerOf('gateway.example'), signerOf('gateway.example')]
    const { note } = await signHandover(one, two, '2026-11-26T00:00:00.000Z')
    await gateway.rotate()
    const folder = join(gateway.directory, 'keys', 'handovers')
    const [name = ''] = await readdir(folder)
    expect(await readFile(join(folder, name), 'utf8')).not.toBe(note)
    await writeFile(join(folder, name), note)
    await gateway.live()
    const verified = await gateway.verify(first)
    expect(verified.exitCode).toBe(1)
    expect(verified.printed).toContain('checkpoint.unsigned')
  })
})
