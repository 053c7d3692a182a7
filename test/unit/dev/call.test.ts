import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { UsageError } from '../../../gateway/cli/command.ts'
import { runCall } from '../../../gateway/dev/call.ts'
import { startScriptedGateway } from './scripted-gateway.ts'
import { captureSurroundings as surroundings } from './surroundings.ts'

const denied = {
  decision: 'deny',
  status: 403,
  body: {
    code: 'policy.denied',
    reasons: [{ code: 'group.not_allowed', rule: 'R010', detail: 'marketing' }],
  },
} as const

describe('toolgate dev call', () => {
  it('sends a signed call and prints decision, status, call id and body', async () => {
    await using gateway = await startScriptedGateway(() => ({ body: { number: 991 } }))
    const world = surroundings()
    const exit = await runCall(
      ['github', 'get', '/repos/zyx/platform-infra/pulls/991', '--gateway', gateway.origin],
      world,
    )
    expect(exit).toBe(0)
    expect(gateway.calls).toMatchObject([
      {
        method: 'GET',
        target: '/github/repos/zyx/platform-infra/pulls/991',
        bound: true,
        claims: { sub: 'dana@zyx.example' },
      },
    ])
    expect(world.printed()).toBe(
      'decision  allow\nstatus    200 OK\ncall      call-1\n\n{\n  "number": 991\n}\n',
    )
  })

  it('exits 3 when the gateway refuses, and says why', async () => {
    await using gateway = await startScriptedGateway(() => denied)
    const world = surroundings()
    const exit = await runCall(
      ['github', 'GET', '/zen', '--as', 'outsider', '--gateway', gateway.origin],
      world,
    )
    expect(exit).toBe(3)
    expect(gateway.calls[0]?.claims).toMatchObject({ groups: ['marketing'] })
    expect(world.printed()).toContain(
      'code      policy.denied\nreason    group.not_allowed (R010) marketing\n',
    )
  })

  it.each([
    ['a status', { status: 404, body: { message: 'Not Found' } }],
    ['a Slack body', { status: 200, body: { ok: false, error: 'no_text' } }],
  ])('exits 4 when the upstream says no with %s', async (_, reply) => {
    await using gateway = await startScriptedGateway(() => reply)
    expect(
      await runCall(['slack', 'POST', '/api/chat.postMessage', '--gateway', gateway.origin], surroundings()),
    ).toBe(4)
  })

  it('sends data as JSON and headers as given', async () => {
    await using gateway = await startScriptedGateway(() => ({}))
    await runCall(
      [
        'jira',
        'POST',
        '/rest/api/3/issue',
        '--data',
        '{"a":1}',
        '--header',
        'Toolgate-Ticket: CHG-1',
        '--gateway',
        gateway.origin,
      ],
      surroundings(),
    )
    const [call] = gateway.calls
    expect([call?.body, call?.header('content-type'), call?.header('toolgate-ticket')]).toEqual([
      '{"a":1}',
      'application/json; charset=utf-8',
      'CHG-1',
    ])
  })

  it('prints one JSON object with --json', async () => {
    await using gateway = await startScriptedGateway(() => denied)
    const world = surroundings()
    await runCall(['github', 'GET', '/zen', '--json', '--gateway', gateway.origin], world)
    expect(JSON.parse(world.printed())).toEqual({
      decision: 'deny',
      status: 403,
      call_id: 'call-1',
      code: 'policy.denied',
      reasons: denied.body.reasons,
      body: denied.body,
    })
  })

  it('prints a curl command that makes the same call', async () => {
    await using gateway = await startScriptedGateway(() => ({}))
    const world = surroundings()
    const data = `{"text":"it's"}`
    await runCall(
      ['slack', 'POST', '/api/chat.postMessage', '--data', data, '--curl', '--gateway', gateway.origin],
      world,
    )
    expect(gateway.calls).toEqual([])
    // The responder is in this process, so the shell only shows the words it would run.
    const words = execFileSync('sh', ['-c', world.printed().replace('curl', `printf '%s\\n'`)])
      .toString()
      .split('\n')
    expect(words).toEqual(
      expect.arrayContaining([
        '-X',
        'POST',
        '--data-binary',
        data,
        `${gateway.origin}/slack/api/chat.postMessage`,
      ]),
    )
    expect(words.find((word) => word.startsWith('DPoP: '))).toMatch(/^DPoP: eyJ/)
  })

  it('does not take an answer without a decision for the gateway', async () => {
    await using gateway = await startScriptedGateway(() => ({ headers: { 'Toolgate-Decision': '' } }))
    await expect(
      runCall(['github', 'GET', '/zen', '--gateway', gateway.origin], surroundings()),
    ).rejects.toThrow('does not come from a Toolgate gateway')
  })

  it('says how to start a gateway where there is none', async () => {
    await expect(
      runCall(['github', 'GET', '/zen', '--gateway', 'http://127.0.0.1:1'], surroundings()),
    ).rejects.toThrow('npm start')
  })

  it.each([
    ['too few words', ['github', 'GET']],
    ['a path without slash', ['github', 'GET', 'zen']],
    ['an unknown persona', ['github', 'GET', '/zen', '--as', 'nobody']],
    ['a header without name', ['github', 'GET', '/zen', '--header', 'x']],
  ])('names the mistake in %s', async (_, args) => {
    await expect(runCall(args, surroundings())).rejects.toThrow(UsageError)
  })
})
