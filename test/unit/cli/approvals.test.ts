import { hash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { approvals } from '../../../gateway/cli/approvals/approvals.ts'
import { createControlPlane } from '../../../gateway/control/control-plane.ts'
import { controlProblem } from '../../../gateway/control/control-problem.ts'
import type { ControlRequest } from '../../../gateway/control/control.ts'
import { startTestAdmin, type TestAdmin } from '../../harness/admin.ts'
import { runHere } from '../../harness/run-here.ts'

const ID = '01998d3e-0000-7000-8000-000000000001'
const VIEW = 'CALL\n  operation: github.pulls/merge [write]\nBODY none'
const digest = (text: string) => hash('sha256', text, 'hex')

let approval: Record<string, unknown>
const asked: ControlRequest[] = []
const note = (request: ControlRequest) => {
  asked.push(request)
  return { status: 200, body: { approval } }
}
const plane = createControlPlane({
  routes: [
    {
      method: 'GET',
      pattern: 'approvals',
      answer(request) {
        asked.push(request)
        return { status: 200, body: { approvals: [{ ...approval, agent: 'change-review-agent' }] } }
      },
    },
    {
      method: 'GET',
      pattern: 'approvals/{id}',
      answer: (request, { id }) =>
        id === ID ? note(request) : controlProblem(404, 'No such approval', { code: 'approval.unknown' }),
    },
    {
      method: 'POST',
      pattern: 'approvals/{id}/votes',
      answer(request) {
        if (approval['you'] === 'excluded')
          return controlProblem(403, 'You may not answer this', { detail: 'It is your own call.' })
        approval = { ...approval, state: 'approved', approvals: { given: 1, needed: 1 } }
        return note(request)
      },
    },
    { method: 'DELETE', pattern: 'approvals/{id}', answer: note },
  ],
  channels: [],
  onFault: () => undefined,
})

let admin: TestAdmin
beforeAll(async () => void (admin = await startTestAdmin({}, plane)))
afterAll(() => admin[Symbol.asyncDispose]())
beforeEach(() => {
  asked.length = 0
  approval = {
    id: ID,
    kind: 'approval',
    state: 'pending',
    risk: 5,
    operation: 'github.pulls/merge',
    agent: { id: 'change-review-agent', issuer: 'https://issuer.example', key: '' },
    principal: 'dana@zyx.example',
    approvals: { given: 0, needed: 1 },
    groups: ['change-approvers'],
    created: '2026-11-26T09:00:00.000Z',
    ends: new Date(Date.now() + 300_000).toISOString(),
    call: '01998d3e-0000-7000-8000-000000000000',
    view: VIEW,
    // Not believed: the digest is made of what is shown.
    viewDigest: 'f'.repeat(64),
    votes: [],
    excluded: ['dana@zyx.example'],
    you: 'entitled',
  }
})

const run = (args: readonly string[], answer?: string) =>
  runHere(
    approvals,
    [...args, '--admin', `http://127.0.0.1:${admin.port}`],
    answer === undefined ? {} : { answer },
  )
const votes = () => asked.filter(({ method }) => method === 'POST').map(({ body }) => body)

describe('toolgate approvals list', () => {
  it('shows what waits in columns', async () => {
    const { exitCode, printed } = await run(['list'])
    expect(exitCode).toBe(0)
    expect(printed).toMatch(/ID +STATE +RISK +OPERATION +AGENT/)
    expect(printed).toMatch(
      /-000000000001  pending  5 .*github\.pulls\/merge.*0 of 1.*change-approvers.*in 5 min/,
    )
  })

  it('asks for the states and as many as it is told', async () => {
    await run(['list', '--state', 'denied', '--state', 'expired', '--limit', '5'])
    expect(asked[0]?.query).toBe('state=denied&state=expired&limit=5')
  })

  it('prints what could steer a terminal as nothing that does', async () => {
    approval['operation'] = 'x\u001b[2J\u202ey'
    expect((await run(['list'])).printed).toContain('x\ufffd[2J\ufffdy')
  })

  it('gives the answer as it is with --json', async () => {
    expect(JSON.parse((await run(['list', '--json'])).printed)).toMatchObject({ approvals: [{ id: ID }] })
  })
})

describe('toolgate approvals show', () => {
  it('shows the call as it will be sent, who may answer, and the digest of what it shows', async () => {
    const { printed } = await run(['show', ID])
    expect(printed).toContain(VIEW)
    expect(printed).toContain('change-approvers')
    expect(printed).toContain(digest(VIEW))
    expect(printed).not.toContain('ffffffff')
  })

  it('says beforehand that somebody may not answer', async () => {
    expect((await run(['show', ID])).printed).not.toContain('may not answer it')
    approval['you'] = 'not_entitled'
    expect((await run(['show', ID])).printed).toContain('may not answer it')
  })

  it('says that an id is unknown, exit code 3', async () => {
    const { exitCode, complained } = await run(['show', ID.replace('1', '2')])
    expect([exitCode, complained]).toEqual([3, 'toolgate: No such approval (404)\n'])
  })

  it.each([[['show']], [['show', 'x']], [['show', ID, ID]], [['show', `../locks/${ID}`.slice(0, 36)]]])(
    'is wrong usage as %j',
    async (args) => expect((await run(args)).exitCode).toBe(2),
  )

  it.each(['CALL\n  url: \u202egro.elpmaxe', 'CALL \u001b[8m hidden', `CALL ${'x'.repeat(20_001)}`])(
    'refuses to show a call that a screen would not show as it is',
    async (view) => {
      approval['view'] = view
      const { exitCode, printed } = await run(['approve', ID, '--yes'])
      expect([exitCode, printed, votes()]).toEqual([1, '', []])
    },
  )

  it('fails on an answer that it does not know', async () => {
    delete approval['view']
    const { exitCode, complained } = await run(['show', ID])
    expect(exitCode).toBe(1)
    expect(complained).toContain('the answer cannot be read (view)')
  })
})

describe('toolgate approvals approve', () => {
  it('shows the call, asks, and sends the digest of what it showed', async () => {
    const { exitCode, printed } = await run(['approve', ID, '--comment', 'seen with Dana'], 'y')
    expect(exitCode).toBe(0)
    expect(printed.indexOf(VIEW)).toBeLessThan(printed.indexOf('Approve this call? [y/N]'))
    expect(printed).toContain('approved; the agent can make the call now, once')
    expect(votes()).toEqual([{ verdict: 'approve', viewDigest: digest(VIEW), comment: 'seen with Dana' }])
  })

  it.each(['', 'n', 'no', 'yess', 'Y E S'])('sends nothing for the answer %j', async (answer) => {
    const { exitCode, complained } = await run(['approve', ID], answer)
    expect([exitCode, complained, votes()]).toEqual([1, 'nothing was answered\n', []])
  })

  it('does not answer for nobody: without a terminal it wants --yes', async () => {
    expect((await run(['approve', ID])).exitCode).toBe(2)
    expect(votes()).toEqual([])
    expect((await run(['approve', ID, '--yes'])).exitCode).toBe(0)
  })

  it('says why somebody may not, exit code 3', async () => {
    approval['you'] = 'excluded'
    const { exitCode, complained } = await run(['approve', ID, '--yes'])
    expect([exitCode, complained]).toEqual([
      3,
      'toolgate: You may not answer this: It is your own call. (403)\n',
    ])
  })

  it('prints JSON alone with --yes --json', async () => {
    const { printed } = await run(['approve', ID, '--yes', '--json'])
    expect(JSON.parse(printed)).toMatchObject({ approval: { state: 'approved' } })
  })
})

describe('toolgate approvals deny and revoke', () => {
  it('say no with why', async () => {
    await run(['deny', ID, '--yes', '--comment', 'not today'])
    expect(votes()).toEqual([{ verdict: 'deny', viewDigest: digest(VIEW), comment: 'not today' }])
  })

  it('take back with why', async () => {
    const { printed } = await run(['revoke', ID, '--reason', 'wrong branch'])
    expect([printed, asked[0]?.method, asked[0]?.body]).toEqual([
      'revoked\n',
      'DELETE',
      { reason: 'wrong branch' },
    ])
  })
})
