import { describe, expect, it } from 'vitest'
import { table } from '../../../gateway/lib/table.ts'
import { runTour } from '../../../gateway/dev/tour.ts'
import { startScriptedGateway } from './scripted-gateway.ts'
import type { ScriptedCall, ScriptedReply } from './scripted-gateway.ts'
import { captureSurroundings } from './surroundings.ts'

/** What the ZYX Bank gateway would say; the vendors' answers are as short as their SDKs accept. */
function zyxGateway(): (call: ScriptedCall) => ScriptedReply {
  let rateLimitCalls = 0
  return (call) => {
    if (call.replayed) return refused(401, 'identity.proof_replayed')
    if (!call.bound) return refused(401, 'identity.binding_mismatch')
    if (call.target.endsWith('/issues/991/comments')) return { status: 201, body: { id: 1 } }
    if (!JSON.stringify(call.claims['groups']).includes('devsecops-change-review'))
      return denied('group.not_allowed')
    if (call.claims['device_compliant'] !== true) return denied('device.not_compliant')
    if (call.target.endsWith('/merge')) return denied('hours.closed', 'operation.not_granted')
    if (call.target.includes('/payments-core/')) return denied('environment.not_allowed')
    if (call.target === '/github/rate_limit' && (rateLimitCalls += 1) > 5) return refused(429, 'limit.rate')
    if (call.target.startsWith('/slack/') && call.body.includes('C0GENERAL'))
      return { ...denied('channel.not_allowed'), status: 200 }
    return { body: answerOf(call.target) }
  }
}

function denied(...reasons: string[]): ScriptedReply {
  return {
    decision: 'deny',
    status: 403,
    body: { code: 'policy.denied', reasons: reasons.map((code) => ({ code, rule: 'R', detail: '' })) },
  }
}

function refused(status: number, code: string): ScriptedReply {
  return { decision: 'deny', status, body: { code, reasons: [] } }
}

function answerOf(target: string): unknown {
  if (target.includes('/wiki/api/v2/spaces?')) return { results: [{ id: '65538', key: 'SEC' }] }
  if (target.includes('/wiki/')) return { results: [] }
  if (target.endsWith('/comment')) return { id: '7' }
  if (target.startsWith('/jira/')) return { key: 'CHG-18422', fields: { summary: 'x' } }
  if (target.includes('/pulls/991/files')) return []
  if (target.startsWith('/slack/')) return { ok: true, ts: '1.2' }
  return { number: 991, body: '', head: { sha: 'a'.repeat(40) } }
}

describe('toolgate dev tour', () => {
  it('prints the review, then each call and each refusal in aligned columns', async () => {
    await using gateway = await startScriptedGateway(zyxGateway())
    const world = captureSurroundings()
    const exit = await runTour(['--gateway', gateway.origin], world)
    expect([exit, world.complained()]).toEqual([0, ''])
    expect(world.printed()).toContain('"ticket": "CHG-18422"')
    const [, below = ''] = world.printed().split('What is refused\n\n')
    const lines = below.trimEnd().split('\n')
    expect(lines).toHaveLength(9)
    const column = lines[0]?.indexOf('decision') ?? -1
    expect(lines.slice(1).every((line) => line.slice(column).startsWith('deny'))).toBe(true)
    expect(below).toMatch(
      /merging the pull request +deny +403 +hours\.closed, operation\.not_granted +call-\d+\n/,
    )
  })

  it('declares the task and its ticket on every call of the agent', async () => {
    await using gateway = await startScriptedGateway(zyxGateway())
    await runTour(['--gateway', gateway.origin], captureSurroundings())
    const agents = gateway.calls.slice(0, 7)
    expect(new Set(agents.map((call) => call.header('toolgate-task'))).size).toBe(1)
    expect(agents.map((call) => call.header('toolgate-ticket'))).toEqual(
      Array.from({ length: 7 }, () => 'CHG-18422'),
    )
  })

  it('says the same as one JSON object', async () => {
    await using gateway = await startScriptedGateway(zyxGateway())
    const world = captureSurroundings()
    await runTour(['--json', '--gateway', gateway.origin], world)
    const told = JSON.parse(world.printed()) as {
      allowed: { as_expected: boolean }[]
      refused: { reason: string; as_expected: boolean }[]
    }
    expect(told.allowed).toHaveLength(7)
    expect(told.refused.map(({ reason }) => reason)).toEqual([
      'group.not_allowed',
      'device.not_compliant',
      'channel.not_allowed',
      'hours.closed, operation.not_granted',
      'environment.not_allowed',
      'identity.proof_replayed',
      'identity.binding_mismatch',
      'limit.rate',
    ])
    expect([...told.allowed, ...told.refused].every((row) => row.as_expected)).toBe(true)
  })

  it('fails when something is let through that has to be refused', async () => {
    const script = zyxGateway()
    await using gateway = await startScriptedGateway((call) =>
      call.target.endsWith('/merge') ? { body: { merged: true } } : script(call),
    )
    const world = captureSurroundings()
    expect(await runTour(['--gateway', gateway.origin], world)).toBe(1)
    expect(world.complained()).toBe(
      'not as it should be: merging the pull request: should have been policy.denied with operation.not_granted\n',
    )
  })

  it('fails when a call is refused for another reason', async () => {
    const script = zyxGateway()
    await using gateway = await startScriptedGateway((call) =>
      call.target.endsWith('/merge') ? denied('ticket.required') : script(call),
    )
    const world = captureSurroundings()
    expect(await runTour(['--gateway', gateway.origin], world)).toBe(1)
    expect(world.complained()).toContain('should have been policy.denied with operation.not_granted')
  })

  it('fails when the agent is refused what it needs, and shows where', async () => {
    const script = zyxGateway()
    await using gateway = await startScriptedGateway((call) =>
      call.target.includes('/pulls/991/files') ? denied('repository.not_allowed') : script(call),
    )
    const world = captureSurroundings()
    expect(await runTour(['--gateway', gateway.origin], world)).toBe(1)
    expect(world.complained()).toContain('/pulls/991/files: should have been allowed')
    expect(world.complained()).toContain('the example agent failed')
  })

  it('asks nobody beside a gateway of another origin, and says so', async () => {
    await using gateway = await startScriptedGateway(zyxGateway())
    const world = captureSurroundings()
    await runTour(['--gateway', gateway.origin], world)
    expect(world.printed()).toContain('nobody was asked: --admin says where people can answer')
  })

  it('fails when a call is made that people should have been asked about', async () => {
    await using gateway = await startScriptedGateway(zyxGateway())
    const world = captureSurroundings()
    expect(await runTour(['--gateway', gateway.origin, '--admin', gateway.origin], world)).toBe(1)
    expect(world.complained()).toContain('a comment of the release agent: should have been held for people')
  })

  it('says how to start a gateway where there is none', async () => {
    await expect(runTour(['--gateway', 'http://127.0.0.1:1'], captureSurroundings())).rejects.toThrow(
      'npm start',
    )
  })
})

describe('a table', () => {
  it('gives each column the width of its widest cell', () => {
    expect(
      table([
        ['a', 'bb', ''],
        ['long', 'c', 'd'],
      ]),
    ).toBe('  a     bb\n  long  c   d')
  })
})
