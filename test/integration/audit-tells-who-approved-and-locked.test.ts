import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Actor } from '../../gateway/control/actor.ts'
import { type ApprovedCalls, heldBy, startApprovedCalls } from '../harness/approved-calls.ts'
import { person as approver } from '../harness/approval.ts'
import { runAudit, runAuditJson } from '../harness/audit-command.ts'
import { askLocks, person, setLock } from '../harness/locking.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'
import { until } from '../harness/until.ts'

const TASK = { 'toolgate-task': 'T-A' }
const PULL = '/github/repos/zyx/platform-infra/pulls/991'
/** What somebody may write to attack whoever reads about it. */
const ATTACK = `=cmd|' /C calc'!A1 <script>alert(1)</script> \u001b[31mred\u001b[0m`
const KIM: Actor = { kind: 'person', person: approver('kim@zyx.example') }
const ERIK = person('erik@zyx.example')

let calls: ApprovedCalls
let record: string[]
let approval: string
let lock: string
let held: string
let made: string
let stopped: string
beforeAll(async () => {
  calls = await startApprovedCalls()
  const { toolgate, comment } = calls
  record = ['--audit', toolgate.auditDirectory]
  const refused = await comment({ headers: TASK }, 'seen')
  held = refused.callId
  approval = heldBy(refused).id
  const { viewDigest } = (await calls.approver.get(approval)).subject
  const body = { verdict: 'approve', viewDigest, comment: ATTACK }
  const path = `approvals/${approval}/votes`
  await toolgate.gateway.control({ method: 'POST', path, query: '', body, actor: KIM })
  made = (await comment({ headers: { ...TASK, 'toolgate-approval': approval } }, 'seen')).callId
  // Somebody else's, which stops none of these calls.
  await setLock(toolgate.gateway, 'agent:another-agent', { actor: ERIK })
  lock = await setLock(toolgate.gateway, 'agent:change-review-agent', { actor: ERIK, reason: ATTACK })
  stopped = (await toolgate.send('GET', PULL, { headers: TASK })).callId
  await askLocks(toolgate.gateway, 'DELETE', { id: lock, actor: ERIK, body: { reason: 'looked at' } })
  await toolgate.send('GET', PULL, { headers: { 'toolgate-task': 'T-B' } })
  await until(async () => (await listed('--type', 'lock', '--lock', lock)).length === 2)
})
afterAll(() => calls[Symbol.asyncDispose]())

type Row = Record<string, unknown> & { readonly entry?: Record<string, unknown> }

function listed(...args: string[]): Promise<Row[]> {
  return runAuditJson(['query', '--oldest', ...args, ...record])
}

/** Calls by their id, events by type and state. */
function namesOf(rows: readonly Row[]): string[] {
  return rows.map(({ call, type, entry }) =>
    entry === undefined ? String(call) : `${String(type)} ${String(entry['state'])}`,
  )
}

const ASKED = ['approval requested', 'approval voted', 'approval approved', 'approval consumed']

describe('toolgate audit query', () => {
  it('lists calls alone unless asked', async () => {
    expect((await listed()).every(({ call }) => typeof call === 'string')).toBe(true)
  })

  it('lists what happened to an approval, with the calls that it was about', async () => {
    const rows = namesOf(await listed('--approval', approval))
    expect(rows.filter((name) => name.startsWith('approval'))).toEqual(ASKED)
    expect(rows.filter((name) => !name.startsWith('approval'))).toEqual([held, made])
  })

  it('lists what a person answered, and set and released', async () => {
    expect(namesOf(await listed('--type', 'approval', '--person', 'kim@zyx.example'))).toEqual([
      'approval voted',
    ])
    expect(namesOf(await listed('--type', 'call', '--person', 'kim@zyx.example'))).toEqual([held, made])
    expect(namesOf(await listed('--type', 'lock,channel', '--person', 'erik@*'))).toEqual([
      'lock set',
      'lock set',
      'lock released',
    ])
  })

  it('lists a lock, and the call that it stopped', async () => {
    expect(namesOf(await listed('--lock', lock))).toEqual(['lock set', stopped, 'lock released'])
  })

  it.each([
    [['--type', 'approval', '--agent', 'change-review-agent', '--task', 'T-A'], ASKED],
    [['--type', 'approval', '--task', 'T-B'], []],
    [['--type', 'lock', '--agent', 'another-agent'], ['lock set']],
    [['--type', 'approval', '--to', '2026-01-01'], []],
    [['--type', 'approval', '--limit', '2'], ASKED.slice(0, 2)],
    [['--type', 'config'], ['config loaded']],
  ])('%j lists %j', async (args, expected) => {
    expect(namesOf(await listed(...args))).toEqual(expected)
  })

  it.each([
    [['--type', 'votes'], '--type is one of call, approval, lock'],
    [['--type', 'lock', '--decision', 'deny'], 'are of calls'],
  ])('%j is refused with a reason', async (args, reason) => {
    const { exitCode, complained } = await runAudit(['query', ...args, ...record])
    expect([exitCode, complained]).toEqual([2, expect.stringContaining(reason)])
  })

  it('finds the same in an index of an earlier version, which it makes anew', async () => {
    const { DatabaseSync } = await import('node:sqlite')
    const path = `${calls.toolgate.auditDirectory}/index.sqlite`
    const before = await listed('--type', 'all')
    const database = new DatabaseSync(path)
    database.exec('DROP TABLE mentions; DROP TABLE events; PRAGMA user_version = 1')
    database.close()
    expect(await listed('--type', 'all')).toEqual(before)
  })
})

describe('toolgate audit show', () => {
  it('tells of a task who was asked, who said yes to what, what used it, and what stopped it', async () => {
    const rows = (await runAuditJson(['show', 'T-A', ...record])) as Row[]
    const names = namesOf(rows)
    expect(names.filter((name) => name.startsWith('approval'))).toEqual(ASKED)
    expect(names.filter((name) => name.startsWith('lock'))).toEqual(['lock set', 'lock released'])
    expect(names.filter((name) => !/^(approval|lock|detection)/.test(name))).toEqual([held, made, stopped])
    expect(names.indexOf('lock set')).toBeLessThan(names.indexOf(stopped))
    const voted = rows.find(({ entry }) => entry?.['state'] === 'voted')
    expect(voted?.entry).toMatchObject({
      by: { id: 'kim@zyx.example', channel: 'admin' },
      verdict: 'approve',
    })
  })

  it('says so to a person, and nothing in it is obeyed by a terminal', async () => {
    const { printed } = await runAudit(['show', 'T-A', ...record])
    expect(printed).toMatch(/approval voted to approve: github\.issues\/create-comment\n/)
    expect(printed).toMatch(/by +kim@zyx\.example \(admin\)/)
    expect(printed).toMatch(/approved +kim@zyx\.example/)
    expect(printed).toMatch(/lock set: agent:change-review-agent\n[^]*by +erik@zyx\.example/)
    expect(printed).toContain('because    looked at')
    expect(printed).not.toContain('\u001b')
    expect(printed).not.toContain('another-agent')
  })

  it('tells nothing of the approvals of another task', async () => {
    const names = namesOf(await runAuditJson(['show', 'T-B', ...record]))
    expect(names.some((name) => name.startsWith('approval'))).toBe(false)
  })

  it.each(['approval', 'lock'] as const)('tells all of one %s, with its calls', async (kind) => {
    const id = kind === 'lock' ? lock : approval
    const names = namesOf(await runAuditJson(['show', id, ...record]))
    expect(names).toEqual(expect.arrayContaining(kind === 'lock' ? ['lock set', stopped] : [...ASKED, made]))
  })
})

describe('toolgate audit prove', () => {
  it('proves of an approval each vote and its use, and of a lock who set it, offline', async () => {
    await using folder = await temporaryDirectory()
    const where = ['--out', folder.path, ...record]
    const key = (await runAudit(['key', calls.toolgate.auditDirectory])).printed.trim()
    await until(async () => (await runAudit(['prove', lock, ...where])).exitCode === 0)
    const { printed } = await runAudit(['prove', approval, ...where])
    const files = printed.trim().split('\n')
    expect(files.map((file) => file.split('.').slice(-3, -1))).toEqual(
      [1, 2, 3, 4].map((number) => [String(number), 'approval']),
    )
    for (const [number, state] of ['requested', 'voted', 'approved', 'consumed'].entries()) {
      const proven = await runAudit(['verify-proof', files[number] ?? '', '--key', key, '--json'])
      expect(proven.exitCode).toBe(0)
      const { entry } = JSON.parse(proven.printed) as { readonly entry: string }
      expect(JSON.parse(entry)).toMatchObject({ type: 'approval', approval, state })
    }
    const set = await runAudit(['verify-proof', `${folder.path}/${lock}.1.lock.tlog-proof`, '--key', key])
    expect(set.printed).toContain('erik@zyx.example')
    expect(set.printed).not.toContain('\u001b')
  })
})

describe('the report of an incident', () => {
  it('has who was asked and said what, which locks were in force, and what was detected, with nothing to be obeyed', async () => {
    const { printed: page } = await runAudit(['export', '--format', 'html', '--task', 'T-A', ...record])
    const [, detected, locks, approvals, doubtful] = sectionsOf(page)
    expect(detected).toMatch(/Detections[^]*change-review-agent[^]*The agent has a new task/)
    expect(locks).toMatch(
      /agent:change-review-agent[^]*erik@zyx\.example \(admin\): [^]*erik@zyx\.example \(admin\): looked at/,
    )
    expect(locks).not.toContain('another-agent')
    expect(approvals).toMatch(/kim@zyx\.example \(admin\): approve[^]*consumed[^]*used by[^]*\d\.\d s/)
    expect(approvals).toContain(made)
    expect(doubtful).toContain('None on record.')
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
    expect(page).not.toMatch(/<(?:script|img|link|iframe|object|form|base|a)\b/i)
    expect(page).not.toContain('\u001b')
  })

  it('has everything of a period, and the roots that it can be checked against', async () => {
    const { printed: page } = await runAudit(['export', '--format', 'html', '--from', '1d', ...record])
    expect(page).toContain('agent:another-agent')
    expect(page).toMatch(
      /How to check this[^]*\/worker-0\/[^]*<td>\s*\d+\s*<\/td>[^]*<code>[\w+/]{43}=<\/code>/,
    )
    expect(
      (await runAudit(['export', '--format', 'html', '--to', '2026-01-01', ...record])).printed,
    ).not.toContain('agent:another-agent')
  })
})

/** By their headings: what was before the first comes first. */
function sectionsOf(page: string): string[] {
  const names = [
    'Detections',
    'Locks in force',
    'Approvals and reviews',
    'Calls in doubt',
    'Refused in channels',
  ]
  return page.split(new RegExp(`(?=<h2>(?:${names.join('|')}))`))
}
