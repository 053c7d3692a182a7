import { cp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkProof } from '../../gateway/audit/evidence/check-proof.ts'
import { formatProof, parseProof, PROOF_LIMIT_BYTES } from '../../gateway/audit/evidence/proof-file.ts'
import { formatVerifierKey, parseVerifierKey } from '../../gateway/audit/tlog/verifier-key.ts'
import { runAudit } from '../harness/audit-command.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { runningWitness } from '../harness/running-witness.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../harness/temporary-directory.ts'
import { until } from '../harness/until.ts'
import { witnessedLog } from '../harness/witnessed-log.ts'

const RATIONALE = 'Asked for by Jane Roe'

let toolgate: TestGateway
let folder: TemporaryDirectory
let call: string
let key: string
let decision: string
let outcome: string
beforeAll(async () => {
  toolgate = await startTestGateway()
  folder = await temporaryDirectory()
  const headers = { 'toolgate-task': 'T-77', 'toolgate-rationale': RATIONALE }
  call = (await toolgate.send('GET', '/github/repos/zyx/platform-infra/pulls/991', { headers })).callId
  await until(async () => (await toolgate.recordsOf(call)).length === 2)
  await until(async () => (await prove(call, '--disclose', 'input.declared')).exitCode === 0)
  key = (await runAudit(['key', toolgate.auditDirectory])).printed.trim()
  decision = join(folder.path, `${call}.decision.tlog-proof`)
  outcome = join(folder.path, `${call}.outcome.tlog-proof`)
})
afterAll(async () => {
  await folder[Symbol.asyncDispose]()
  await toolgate[Symbol.asyncDispose]()
})

function prove(subject: string, ...more: string[]): ReturnType<typeof runAudit> {
  return runAudit(['prove', subject, '--audit', toolgate.auditDirectory, '--out', folder.path, ...more])
}

async function proofIn(file: string): Promise<NonNullable<ReturnType<typeof parseProof>>> {
  const proof = parseProof(await readFile(file, 'utf8'))
  if (proof === undefined) throw new Error('no proof')
  return proof
}

/** What is wrong with a proof; `undefined` when it holds. */
function problemOf(proof: string, trusted = key): string | undefined {
  const checked = checkProof(proof, { keys: [parseVerifierKey(trusted)] })
  return checked.proven ? undefined : checked.code
}

describe('a proof of a call of a running gateway', () => {
  it('proves both its entries, with what was to be disclosed and nothing else', async () => {
    const { exitCode, printed } = await runAudit(['verify-proof', decision, '--key', key])
    expect(exitCode).toBe(0)
    expect(printed).toMatch(/^proven: entry \d+ of \S+ is in the \d+ entries that \S+ signed$/m)
    expect(printed).toContain(RATIONALE)
    expect(printed).toContain('it commits to input.params, which this file does not disclose')
    const { printed: json } = await runAudit(['verify-proof', outcome, '--key', key, '--json'])
    const proven = JSON.parse(json) as { entry: string }
    expect(proven).toMatchObject({ proven: true, disclosed: {}, cosigners: [] })
    expect(JSON.parse(proven.entry)).toMatchObject({ call, type: 'outcome', outcome: 'allowed' })
    expect((await stat(decision)).mode & 0o777).toBe(0o600)
  })

  it('is had by origin and number too, and never written over another', async () => {
    const { index, checkpoint } = await proofIn(decision)
    const { exitCode, printed } = await prove(`${checkpoint.origin}:${index}`)
    expect(exitCode).toBe(0)
    expect((await runAudit(['verify-proof', printed.trim(), '--key', key])).exitCode).toBe(0)
    expect((await prove(`${checkpoint.origin}:${index}`)).exitCode).toBe(1)
    expect((await prove(`other.${checkpoint.origin}:${index}`)).complained).toContain('the log there is')
  })

  it('proves nothing once any one byte of it was altered, or it was cut off anywhere', async () => {
    const bytes = await readFile(decision)
    expect(problemOf(bytes.toString())).toBeUndefined()
    for (let at = 0; at < bytes.length; at++) {
      const altered = Buffer.from(bytes)
      altered.writeUInt8(altered.readUInt8(at) ^ 1, at)
      expect(problemOf(altered.toString()), `byte ${at}`).toBeDefined()
      expect(problemOf(bytes.subarray(0, at).toString()), `cut at ${at}`).toBeDefined()
    }
  })

  it('does not prove another entry, another number, or a value that another entry commits to', async () => {
    const one = await proofIn(decision)
    const other = await proofIn(outcome)
    expect(problemOf(formatProof({ ...one, entry: other.entry, disclosures: [] }))).toBe('entry.not_included')
    expect(problemOf(formatProof({ ...one, index: other.index }))).toBe('entry.not_included')
    expect(problemOf(formatProof({ ...one, hashes: one.hashes.slice(1) }))).toBe('entry.not_included')
    expect(problemOf(formatProof({ ...other, disclosures: one.disclosures }))).toBe('disclosure.foreign')
    const renamed = one.disclosures.map((text) => text.replace('input.declared', 'input.params'))
    expect(problemOf(formatProof({ ...one, disclosures: renamed }))).toBe('disclosure.foreign')
  })

  it('is not proven by the key of another log, of the same name or another', async () => {
    const proof = await readFile(decision, 'utf8')
    const { name } = parseVerifierKey(key)
    for (const log of [witnessedLog(name), witnessedLog('other.example')])
      expect(problemOf(proof, formatVerifierKey(log.key))).toBe('checkpoint.unsigned')
  })

  it('of a log that no key of its deployment signed is none, whatever else that key signs', async () => {
    const log = witnessedLog('evil.example', 'gateway.example/worker-0/e1')
    const proof = { index: 0, hashes: [], note: await log.checkpoint(1), entry: Buffer.from('entry 0') }
    const text = formatProof({ ...proof, disclosures: [] })
    expect(problemOf(text, formatVerifierKey(log.key))).toBe('checkpoint.unsigned')
    const own = witnessedLog('gateway.example')
    const honest = formatProof({ ...proof, note: await own.checkpoint(1), disclosures: [] })
    expect(problemOf(honest, formatVerifierKey(own.key))).toBeUndefined()
  })

  it('says who cosigned, and is none where fewer did than have to', async () => {
    await using directory = await temporaryDirectory()
    const log = witnessedLog()
    await using witness = await runningWitness(directory.path, [log.key])
    const { body } = await witness.post(await log.request(0, 1))
    const alone = { index: 0, hashes: [], note: await log.checkpoint(1), entry: Buffer.from('entry 0') }
    const trusted = { keys: [log.key], cosigned: { witnesses: [witness.key], quorum: 1 } }
    const cosigned = formatProof({ ...alone, note: `${alone.note}${body}`, disclosures: [] })
    expect(checkProof(cosigned, trusted)).toMatchObject({ proven: true, cosigners: [witness.key.name] })
    const without = formatProof({ ...alone, disclosures: [] })
    expect(checkProof(without, trusted)).toMatchObject({ proven: false, code: 'cosignature.missing' })
  })

  it('needs no disclosure: what was erased stays so, and the entry is proven without it', async () => {
    await using copy = await temporaryDirectory()
    await cp(dirname(toolgate.auditDirectory), copy.path, { recursive: true })
    const keys = join(copy.path, 'disclosures/keys')
    for (const name of await readdir(keys)) await rm(join(keys, name))
    const args = ['prove', call, '--audit', join(copy.path, 'audit'), '--out', copy.path]
    const refused = await runAudit([...args, '--disclose', 'all'])
    expect(refused).toMatchObject({ exitCode: 1, complained: expect.stringContaining('erased') as string })
    expect((await runAudit(args)).exitCode).toBe(0)
    const file = join(copy.path, `${call}.decision.tlog-proof`)
    const { exitCode, printed } = await runAudit(['verify-proof', file, '--key', key])
    expect(exitCode).toBe(0)
    expect(printed).not.toContain(RATIONALE)
  })

  it('is not read further than a proof can be long', async () => {
    const file = join(folder.path, 'large')
    await writeFile(file, await readFile(decision))
    await truncate(file, PROOF_LIMIT_BYTES + 1)
    const { exitCode, printed } = await runAudit(['verify-proof', file, '--key', key])
    expect([exitCode, printed]).toEqual([
      1,
      'not proven: proof.malformed: this is no proof with an entry in it\n',
    ])
  })
})

it.each([
  [['verify-proof'], 'which proof?'],
  [['verify-proof', '/nowhere/at/all', '--key', 'KEY'], 'no such file'],
  [['verify-proof', 'FILE'], '--key says which log is trusted'],
  [['verify-proof', 'FILE', '--key', 'hello'], 'not a verifier key'],
  [['verify-proof', 'FILE', '--key', 'KEY', '--quorum', '1'], '--quorum is a number'],
  [['prove'], 'prove takes one call, approval, lock or detection, or ORIGIN:INDEX'],
  [['prove', 'x', '--disclose', 'everything'], '--disclose is one of'],
])('%j is wrong usage', async (args, reason) => {
  const given = args.map((arg) => (arg === 'KEY' ? key : arg === 'FILE' ? decision : arg))
  expect(await runAudit(given)).toMatchObject({
    exitCode: 2,
    complained: expect.stringContaining(reason) as string,
  })
})

it('says of a call that is not on record that it is not', async () => {
  expect((await prove('nothing-like-it')).complained).toContain('nothing-like-it is not on record')
})
