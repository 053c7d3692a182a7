import { appendFile, cp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runAudit, runAuditJson } from '../harness/audit-command.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'
import { until } from '../harness/until.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'
const ISSUE = '/jira/rest/api/3/issue/PAY-1'
const USER = '/github/users/Jane-Roe'

let toolgate: TestGateway
let record: string[]
const ids: Record<'pull' | 'merge' | 'issue' | 'user' | 'stranger', string> = {
  pull: '',
  merge: '',
  issue: '',
  user: '',
  stranger: '',
}
beforeAll(async () => {
  toolgate = await startTestGateway()
  record = ['--audit', toolgate.auditDirectory]
  const headers = { 'toolgate-task': 'T-77', 'toolgate-rationale': 'asked for by Jane Roe' }
  ids.pull = (await toolgate.send('GET', PULL, { headers })).callId
  ids.merge = (
    await toolgate.send('PUT', `${PULL}/merge`, {
      body: '{}',
      headers: { ...headers, 'content-type': 'application/json' },
    })
  ).callId
  ids.issue = (await toolgate.send('GET', ISSUE, { headers: { 'toolgate-task': 'T-78' } })).callId
  const token = toolgate.token({ claims: { sub: 'eve@zyx.example' } })
  ids.user = (await toolgate.send('GET', USER, { token })).callId
  ids.stranger = (await toolgate.send('GET', PULL, { authorization: null })).callId
  await until(async () => (await shownOf(ids.user))['disclosures'] === 'disclosed')
})
afterAll(() => toolgate[Symbol.asyncDispose]())

async function shownOf(subject: string): Promise<Record<string, unknown>> {
  const [shown = {}] = await runAuditJson(['show', subject, ...record])
  return shown
}

/** Names of the calls that are listed, in their order. */
async function listed(...args: string[]): Promise<string[]> {
  const rows = await runAuditJson(['query', ...args, ...record])
  return rows.map(({ call }) => Object.entries(ids).find(([, id]) => id === call)?.[0] ?? String(call))
}

describe('toolgate audit query, beside a running gateway', () => {
  it.each([
    [[], ['stranger', 'user', 'issue', 'merge', 'pull']],
    [
      ['--oldest', '--limit', '2'],
      ['pull', 'merge'],
    ],
    [['--agent', 'change-review-agent', '--principal', 'eve@zyx.example'], ['user']],
    [
      ['--principal', 'd*@zyx.example', '--decision', 'deny'],
      ['issue', 'merge'],
    ],
    [
      ['--operation', 'github.pulls/*'],
      ['merge', 'pull'],
    ],
    [['--operation', 'github.pulls/get'], ['pull']],
    [['--decision', 'refused'], ['stranger']],
    [['--outcome', 'identity.*'], ['stranger']],
    [['--task', 'T-78'], ['issue']],
    [['--tenant', 'zyx-bank', '--task', 'T-7?'], []],
    [
      ['--task', 'T-7*'],
      ['issue', 'merge', 'pull'],
    ],
    [
      ['--resource', 'zyx/platform-infra'],
      ['merge', 'pull'],
    ],
    [['--resource', 'PAY'], ['issue']],
    [
      ['--from', '1h'],
      ['stranger', 'user', 'issue', 'merge', 'pull'],
    ],
    [['--to', '2026-01-01'], []],
    [
      ['--from', '2026-01-01T00:00:00.000+01:00', '--to', '9999-12-31'],
      ['stranger', 'user', 'issue', 'merge', 'pull'],
    ],
  ])('%j lists %j', async (args, expected) => {
    expect(await listed(...args)).toEqual(expected)
  })

  it('finds an account behind its keyed token by its plain name, while the key is there', async () => {
    const [entry] = await toolgate.recordsOf(ids.user)
    expect(JSON.stringify(entry)).not.toContain('jane-roe')
    expect(await listed('--resource', 'jane-roe')).toEqual(['user'])
    await using copy = await temporaryDirectory()
    await cp(toolgate.auditDirectory, copy.path, { recursive: true })
    const keys = (await readdir(copy.path)).filter((name) => name.startsWith('token-'))
    expect(keys.length).toBe(2)
    for (const name of keys) await rm(join(copy.path, name))
    expect(await runAuditJson(['query', '--resource', 'jane-roe', '--audit', copy.path])).toEqual([])
  })

  it('finds one call by its id', async () => {
    const [row] = await runAuditJson(['query', '--call', ids.pull, ...record])
    expect(row).toMatchObject({
      call: ids.pull,
      agent: 'change-review-agent',
      principal: 'dana@zyx.example',
      tenant: 'zyx-bank',
      task: 'T-77',
      operation: 'github.pulls/get',
      decision: 'allow',
      outcome: 'allowed',
      status: 200,
    })
  })

  it('goes on from where it was: a call made since is found, and nothing is found twice', async () => {
    const before = await listed()
    const { callId } = await toolgate.send('GET', PULL)
    const after = await listed()
    expect(after).toEqual([callId, ...before])
    await using folder = await temporaryDirectory()
    const anew = join(folder.path, 'anew.sqlite')
    expect(await listed('--index', anew)).toEqual(after)
    expect((await stat(anew)).mode & 0o777).toBe(0o600)
  })

  it('does without a tail that is not whole yet, and takes it in once it is', async () => {
    await using folder = await temporaryDirectory()
    const copy = join(folder.path, 'audit')
    await cp(toolgate.auditDirectory, copy, { recursive: true })
    await rm(join(copy, 'index.sqlite'))
    const [segment = ''] = await segmentsUnder(copy)
    const all = await runAuditJson(['query', '--audit', copy])
    await appendFile(segment, Buffer.from([0, 0, 4, 0, 1, 2, 3, 4, 0x7b]))
    expect(await runAuditJson(['query', '--audit', copy])).toEqual(all)
  })

  it.each([
    [['query', '--limit', 'many'], 2, '--limit is a number'],
    [['query', '--from', 'yesterday'], 2, 'not a time: "yesterday"'],
    [['query', '--decision', 'maybe'], 2, '--decision is one of allow, deny, hold, refused'],
    [['query', '--audit', '/nowhere/at/all'], 1, 'there is no record in /nowhere/at/all'],
    [['show'], 2, 'show takes one call, task, approval'],
    [['show', 'nothing-like-it'], 1, 'is no call, task, approval'],
    [[], 2, 'which command of audit?'],
  ])('%j is answered with %d and a reason', async (args, exitCode, reason) => {
    const ran = await runAudit(args.includes('--audit') || args.length === 0 ? args : [...args, ...record])
    expect(ran).toMatchObject({ exitCode, complained: expect.stringContaining(reason) as string })
  })
})

describe('toolgate audit show', () => {
  it('tells of a call with its entries and everything that they only commit to', async () => {
    expect(await shownOf(ids.pull)).toMatchObject({
      call: ids.pull,
      complete: true,
      entries: [{ type: 'decision' }, { type: 'outcome', outcome: 'allowed' }],
      disclosures: 'disclosed',
      disclosed: {
        input: { principal: { id: 'dana@zyx.example', groups: ['devsecops-change-review'] } },
        'input.params': { path: { pull_number: '991' } },
        'input.declared': { rationale: 'asked for by Jane Roe' },
      },
    })
  })

  it('tells the timeline of a task, oldest first, to a person', async () => {
    const { printed } = await runAudit(['show', 'T-77', ...record])
    expect(printed).toMatch(/github\.pulls\/get {2}allow\n[^]*github\.pulls\/merge {2}deny\n/)
    expect(printed).toContain('change-review-agent for dana@zyx.example')
    expect(printed).toMatch(/reason +operation\.not_granted \(R020\)/)
    expect(printed).toMatch(/policy +sha256:/)
    expect(printed).toContain('asked for by Jane Roe')
    expect(printed).not.toContain('T-78')
  })

  it('says of what it cannot read that the key is not here', async () => {
    const { printed } = await runAudit(['show', ids.pull, ...record, '--disclosures-key', '/nowhere.key'])
    expect(printed).toMatch(/disclosed +the key is not here/)
    expect(printed).not.toContain('Jane Roe')
  })

  it('says of a disclosure that was altered that it was', async () => {
    await using folder = await temporaryDirectory()
    await cp(dirname(toolgate.auditDirectory), folder.path, { recursive: true })
    const [segment = ''] = await segmentsUnder(join(folder.path, 'disclosures'))
    const bytes = await readFile(segment)
    // The last byte of each block, with a checksum that fits it again: what somebody does who knows the format.
    let offset = 0
    while (offset + 8 < bytes.length) {
      const word = bytes.readUInt32BE(offset)
      const size = word & 0x7fff_ffff
      const end = offset + 8 + size
      if (word < 0x8000_0000 && size > 0) {
        bytes.writeUInt8(bytes.readUInt8(end - 1) ^ 1, end - 1)
        bytes.writeUInt32BE(
          crc32(bytes.subarray(offset + 8, end), crc32(bytes.subarray(offset, offset + 4))),
          offset + 4,
        )
      }
      offset = end
    }
    await writeFile(segment, bytes)
    const [shown] = await runAuditJson(['show', ids.pull, '--audit', join(folder.path, 'audit')])
    expect(shown).toMatchObject({ disclosures: 'altered', disclosed: {} })
  })
})

async function segmentsUnder(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter(({ name }) => name.startsWith('segment-'))
    .map(({ parentPath, name }) => join(parentPath, name))
}
