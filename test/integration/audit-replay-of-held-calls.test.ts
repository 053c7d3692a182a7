import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Approval } from '../../gateway/approvals/approval.ts'
import { APPROVAL_RULES } from '../harness/approval-rules.ts'
import { type ApprovedCalls, heldBy, startApprovedCalls } from '../harness/approved-calls.ts'
import { runAudit, runAuditJson } from '../harness/audit-command.ts'
import { compileRules } from '../harness/opa.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../harness/temporary-directory.ts'
import { until } from '../harness/until.ts'

const UNASKED = APPROVAL_RULES.replace('default people := 1', 'default people := 0')
const WAIT = { prefer: 'wait=30' }

let calls: ApprovedCalls
let folder: TemporaryDirectory
let record: string[]
let bundle: string
const ids: Record<'held' | 'made' | 'waited' | 'refused' | 'overruled', string> = {
  held: '',
  made: '',
  waited: '',
  refused: '',
  overruled: '',
}

/** Once people are asked about it. */
async function askedAbout(text: string): Promise<Approval> {
  for (;;) {
    const pending = await calls.approver.service.list(['pending'], 100)
    const found = pending.find(({ subject }) => subject.view.includes(text))
    if (found !== undefined) return found
    await new Promise(setImmediate)
  }
}

beforeAll(async () => {
  folder = await temporaryDirectory()
  calls = await startApprovedCalls()
  record = ['--audit', calls.toolgate.auditDirectory]
  bundle = calls.toolgate.loaded.policy.bundle
  const held = await calls.comment({}, 'held')
  ids.held = held.callId
  await calls.approver.say('approve', heldBy(held).id)
  ids.made = (await calls.comment({ headers: { 'toolgate-approval': heldBy(held).id } }, 'held')).callId
  const waiting = calls.comment({ headers: WAIT }, 'waited')
  await calls.approver.say('approve', (await askedAbout('waited')).id)
  ids.waited = (await waiting).callId
  const refused = calls.comment({ headers: WAIT }, 'refused')
  await calls.approver.say('deny', (await askedAbout('refused')).id)
  ids.refused = (await refused).callId
  const overruled = calls.comment({ headers: { ...WAIT, 'toolgate-task': 'only-unasked' } }, 'overruled')
  await calls.approver.say('approve', (await askedAbout('overruled')).id)
  ids.overruled = (await overruled).callId
  await until(async () => Object.keys((await replayed()).left_out).length === 0)
})
afterAll(async () => {
  await calls[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

interface Replayed {
  readonly calls: number
  readonly equal: number
  readonly same_bundle: number
  readonly left_out: Readonly<Record<string, number>>
  readonly flips: readonly { readonly kind: string; readonly examples: readonly string[] }[]
}

async function replayed(other = bundle): Promise<Replayed> {
  const { printed, complained } = await runAudit(['replay', '--bundle', other, ...record, '--json'])
  if (printed === '') throw new Error(complained)
  return JSON.parse(printed) as Replayed
}

async function entriesOf(call: string): Promise<readonly Record<string, unknown>[]> {
  const [shown] = await runAuditJson(['show', call, ...record])
  return (shown?.['entries'] ?? []) as Record<string, unknown>[]
}

describe('replay of calls that people decided about', () => {
  it('comes to what is on record for each of them, with what people had answered by then as an input', async () => {
    expect(await replayed()).toMatchObject({ calls: 5, equal: 5, same_bundle: 5, flips: [] })
    const [shown] = await runAuditJson(['show', ids.waited, ...record])
    expect(shown).toMatchObject({
      disclosed: { input: { approval: { state: 'approved', approvers: ['kim@zyx.example'] } } },
    })
  })

  it('tells which calls another policy would not have held', async () => {
    const other = join(folder.path, 'unasked.tar.gz')
    await writeFile(other, await compileRules(UNASKED))
    const { flips } = await replayed(other)
    const freed = flips.find(({ kind }) => kind === 'hold to allow')
    expect(freed?.examples).toEqual([ids.held])
  })

  it('tells which calls another policy would have held', async () => {
    const other = join(folder.path, 'two.tar.gz')
    await writeFile(other, await compileRules(APPROVAL_RULES.replace('people := 1', 'people := 2')))
    const { flips } = await replayed(other)
    const held = flips.find(({ kind }) => kind === 'allow to hold')
    expect(held?.examples).toEqual([ids.made, ids.waited])
  })

  it('finds of a call that was denied after people said yes the decision that denied it', async () => {
    const [entry] = await entriesOf(ids.overruled)
    expect(entry).toMatchObject({ outcome: 'policy.denied', reasons: [{ rule: 'R030' }] })
    const [shown] = await runAuditJson(['show', ids.overruled, ...record])
    expect(shown).toMatchObject({ disclosed: { input: { approval: { state: 'approved' } } } })
  })

  it('names the policy that denied, where another one had held the call', async () => {
    const { approver, comment } = calls
    const answer = comment({ headers: { ...WAIT, 'toolgate-task': 'changing' } }, 'changing')
    const { id } = await askedAbout('changing')
    const before = digestInForce()
    await writeFile(
      `${bundle}.next`,
      await compileRules(`${APPROVAL_RULES}
denied contains reason if input.approval.state == "approved"
`),
    )
    await rename(`${bundle}.next`, bundle)
    await until(() => digestInForce() !== before)
    await approver.say('approve', id)
    const { callId, code } = await answer
    expect(code).toBe('policy.denied')
    expect(await entriesOf(callId)).toMatchObject([{ policy: { digest: digestInForce() } }])
  })
})

function digestInForce(): string {
  return (calls.toolgate.gateway.status() as { readonly policy: { readonly digest: string } }).policy.digest
}
