import { createHash } from 'node:crypto'
import { readdir, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Disclosure } from '../../gateway/audit/disclosures/disclosure-reader.ts'
import type { DecisionEntry, OutcomeEntry } from '../../gateway/audit/entry.ts'
import { DEFAULT_BUNDLE } from '../../gateway/cli/policy/policy-files.ts'
import { runAudit } from '../harness/audit-command.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { runPolicy, runPolicyJson } from '../harness/policy-command.ts'
import { openRecordOf } from '../harness/record.ts'
import { until } from '../harness/until.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'
/** Free text that names a person: what a log that cannot forget must not hold. */
const RATIONALE = 'Asked for by Jane Roe, IBAN GB33BUKB20201555555555'
const DECLARED = {
  'toolgate-task': 'T-77',
  'toolgate-rationale': RATIONALE,
  'toolgate-rollback-plan': 'delete the comment of Jane Roe',
}
const JSON_BODY = { 'content-type': 'application/json', ...DECLARED }

let toolgate: TestGateway
let folder: string
let allowed: DecisionEntry | OutcomeEntry
let denied: DecisionEntry | OutcomeEntry
beforeAll(async () => {
  toolgate = await startTestGateway()
  folder = dirname(toolgate.auditDirectory)
  allowed = await entryOf((await toolgate.send('GET', `${PULL}?page=2`, { headers: DECLARED })).callId)
  denied = await entryOf(
    (await toolgate.send('PUT', `${PULL}/merge`, { body: '{"sha":"6dcb09b"}', headers: JSON_BODY })).callId,
  )
})
afterAll(() => toolgate[Symbol.asyncDispose]())

async function entryOf(callId: string): Promise<DecisionEntry | OutcomeEntry> {
  const [entry] = await toolgate.recordsOf(callId)
  if (entry?.type !== 'decision' && entry?.type !== 'outcome') throw new Error('the call is not on record')
  await until(async () => (await disclosed(entry)).state !== 'missing')
  return entry
}

async function disclosed(entry: DecisionEntry | OutcomeEntry): Promise<Disclosure> {
  using record = await openRecordOf(toolgate)
  return record.disclosures.read(entry)
}

describe('what an entry commits to', () => {
  it('is the exact input that policy was given, of an allow and of a deny', async () => {
    using record = await openRecordOf(toolgate)
    expect(await record.disclosures.inputOf(allowed)).toMatchObject({
      v: 1,
      agent: { id: 'change-review-agent', key: toolgate.key.jkt },
      principal: { id: 'dana@zyx.example', groups: ['devsecops-change-review'], device_compliant: true },
      operation: { id: 'github.pulls/get' },
      params: { path: { owner: 'zyx', repo: 'platform-infra', pull_number: '991' }, query: { page: '2' } },
      declared: { task: 'T-77', rationale: RATIONALE, rollback_plan: DECLARED['toolgate-rollback-plan'] },
    })
    expect(await record.disclosures.inputOf(denied)).toMatchObject({
      operation: { id: 'github.pulls/merge', access: 'execute' },
      params: {
        body: { sha: '6dcb09b' },
        digest: createHash('sha256').update('{"sha":"6dcb09b"}').digest('hex'),
      },
    })
  })

  it('lets policy explain and diff decide on what the gateway decided on, with nothing left open', async () => {
    const args = ['--audit', toolgate.auditDirectory]
    const { json } = await runPolicyJson(['explain', denied.call, ...args])
    expect(json).toMatchObject({ not_on_record: [], open: [], same_policy: true })
    expect((await runPolicy(['explain', denied.call, ...args])).printed).not.toContain('not on record')
    const { json: compared } = await runPolicyJson(['diff', DEFAULT_BUNDLE, DEFAULT_BUNDLE, ...args])
    expect(compared).toMatchObject({ recorded_calls: 2, recorded_calls_left_out: {}, flips: [] })
  })

  it('keeps the entry below 2 KB, whatever the input was', () => {
    for (const entry of [allowed, denied]) expect(JSON.stringify(entry).length).toBeLessThan(2_048)
  })

  it('can be shown in part: one disclosure proves itself against the entry, and tells of nothing else', async () => {
    const { texts } = await disclosed(denied)
    const text = texts.get('input.params') ?? ''
    const commitment = createHash('sha256')
      .update(Buffer.from(text).toString('base64url'))
      .digest('base64url')
    expect(denied.disclosed?.params).toBe(commitment)
    expect(text).not.toContain('dana@zyx.example')
  })

  it('is nowhere in the log, neither in clear nor as a hash that could be guessed', async () => {
    const files = await filesUnder(toolgate.auditDirectory, 'segment-')
    const log = Buffer.concat(files).toString('latin1')
    const guesses = [RATIONALE, 'Jane Roe', '6dcb09b', '{"sha":"6dcb09b"}', '991', 'GB33BUKB20201555555555']
    const structures = [{ sha: '6dcb09b' }, { owner: 'zyx', repo: 'platform-infra', pull_number: '991' }]
    for (const guess of [...guesses.slice(0, 4), guesses[5] ?? '']) expect(log).not.toContain(guess)
    for (const guess of [...guesses, ...structures.map((value) => JSON.stringify(value))]) {
      for (const algorithm of ['sha256', 'sha1', 'md5', 'sha512']) {
        const digest = createHash(algorithm).update(guess).digest()
        for (const form of ['hex', 'base64', 'base64url'] as const) {
          expect(log).not.toContain(digest.toString(form).slice(0, 20))
        }
      }
    }
  })

  it('is encrypted where it is kept', async () => {
    const store = Buffer.concat(await filesUnder(join(folder, 'disclosures'), 'segment-')).toString('latin1')
    expect(store).toContain(allowed.call)
    for (const value of ['Jane Roe', 'dana@zyx.example', '6dcb09b', 'devsecops'])
      expect(store).not.toContain(value)
  })
})

describe('forgetting', () => {
  it.each([
    ['the master key is elsewhere', 'locked', () => join(folder, 'disclosures.key')],
    ['the key of the day is deleted', 'erased', () => keyFile('period-')],
    ['the key of the subject is deleted', 'erased', () => keyFile('subject-')],
  ] as const)('%s: everything under it is %s', async (_, state, find) => {
    const path = await find()
    await rename(path, `${path}.away`)
    expect((await disclosed(allowed)).state).toBe(state)
    await rename(`${path}.away`, path)
    expect((await disclosed(allowed)).state).toBe('disclosed')
  })

  it('one person leaves the others, and the log, as they were', async () => {
    const claims = { sub: 'eve@zyx.example' }
    const token = toolgate.token({ claims })
    const other = await entryOf((await toolgate.send('GET', PULL, { token, headers: DECLARED })).callId)
    const before = await filesUnder(toolgate.auditDirectory, 'segment-')
    const erase = (...args: string[]) =>
      runAudit(['erase', '--tenant', 'zyx-bank', ...args, '--audit', toolgate.auditDirectory])
    const period = [
      '--from',
      '1h',
      '--to',
      '2999-01-01',
      '--reason',
      'a claim',
      '--audit',
      toolgate.auditDirectory,
    ]
    await runAudit(['hold', 'case-7', ...period])
    expect((await erase('--principal', 'dana@zyx.example')).complained).toContain('hold case-7 stands')
    expect((await disclosed(allowed)).state).toBe('disclosed')
    await runAudit(['hold', 'case-7', '--release', '--audit', toolgate.auditDirectory])

    expect((await erase('--principal', 'dana@zyx.example')).exitCode).toBe(0)
    expect((await erase('--principal', 'dana@zyx.example')).exitCode).toBe(1)
    expect((await erase()).exitCode).toBe(2)
    expect((await disclosed(allowed)).state).toBe('erased')
    expect((await disclosed(other)).state).toBe('disclosed')
    // It may have grown meanwhile, by a mark of durability or an outcome.
    const after = await filesUnder(toolgate.auditDirectory, 'segment-')
    expect(after.map((file, at) => file.subarray(0, before[at]?.length))).toEqual(before)
  })
})

it('without a store of disclosures, entries hold what fits into them', async () => {
  await using plain = await startTestGateway({ settings: { audit: { disclosures: { enabled: false } } } })
  const { callId } = await plain.send('GET', PULL, {
    headers: { ...DECLARED, 'toolgate-rationale': 'review' },
  })
  const [entry] = await plain.recordsOf(callId)
  expect(entry).toMatchObject({
    facts: { groups: ['devsecops-change-review'] },
    declared: { rationale: 'review', rollback_plan: expect.stringMatching(/^hmac:\d{4}-\d\d:/) as string },
    what: { params: expect.stringMatching(/^hmac:/) as string },
  })
  expect(entry).not.toHaveProperty('disclosed')
})

async function keyNames(): Promise<string[]> {
  return (await readdir(join(folder, 'disclosures', 'keys'))).filter((name) => name.endsWith('.key'))
}

async function keyFile(prefix: string): Promise<string> {
  const name = (await keyNames()).find((each) => each.startsWith(prefix)) ?? ''
  return join(folder, 'disclosures', 'keys', name)
}

async function filesUnder(directory: string, prefix: string): Promise<Buffer[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && entry.name.startsWith(prefix))
  return Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name))))
}
