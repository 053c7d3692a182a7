import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runAudit } from '../harness/audit-command.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../harness/temporary-directory.ts'
import { until } from '../harness/until.ts'

/** Of every kind that policy tells apart: reads and writes, four vendors, free text, odd values, other people. */
const CALL = fc.record({
  request: fc.oneof(
    fc.tuple(
      fc.constant('GET'),
      fc.constantFrom(
        '/github/repos/zyx/platform-infra/pulls/991',
        '/github/repos/zyx/payments-core/pulls',
        '/github/users/zyx',
        '/jira/rest/api/3/issue/CHG-1',
        '/jira/rest/api/3/issue/PAY-7?fields=summary',
        '/confluence/wiki/api/v2/pages/1',
      ),
    ),
    fc.tuple(
      fc.constantFrom('POST', 'PATCH', 'PUT'),
      fc.constantFrom(
        '/github/repos/zyx/platform-infra/issues/991/comments',
        '/github/repos/zyx/platform-infra/pulls/991/merge',
        '/jira/rest/api/3/issue',
        '/slack/api/chat.postMessage',
      ),
    ),
  ),
  body: fc.dictionary(fc.stringMatching(/^[a-z0-9_]{1,6}$/), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }),
  sub: fc.constantFrom('dana@zyx.example', 'eve@zyx.example'),
  groups: fc.constantFrom(['devsecops-change-review'], [], ['sre', 'devsecops-change-review']),
  deviceCompliant: fc.boolean(),
  agent: fc.constantFrom('change-review-agent', 'somebody-else'),
  rationale: fc.stringMatching(/^[ -~]{0,40}$/),
})

interface Replayed {
  readonly calls: number
  readonly equal: number
  readonly same_bundle: number
  readonly not_decided_by_policy: number
  readonly left_out: Readonly<Record<string, number>>
  readonly flips: readonly { readonly kind: string; readonly agent: string; readonly calls: number }[]
}

let toolgate: TestGateway
let folder: TemporaryDirectory
let record: string[]
const made: { decision: string }[] = []
beforeAll(async () => {
  folder = await temporaryDirectory()
  toolgate = await startTestGateway()
  record = ['--audit', toolgate.auditDirectory]
  for (const call of fc.sample(CALL, { numRuns: 80, seed: 20_261_125 })) {
    const { request, body, sub, groups, deviceCompliant, agent, rationale } = call
    const [method, target] = request
    const token = toolgate.token({
      claims: { client_id: agent, sub, groups, device_compliant: deviceCompliant },
    })
    const { headers } = await toolgate.send(method, target, {
      token,
      ...(method === 'GET' ? {} : { body: JSON.stringify(body) }),
      headers: {
        ...(method === 'GET' ? {} : { 'content-type': 'application/json' }),
        'toolgate-rationale': `r${rationale.trim()}`,
      },
    })
    made.push({ decision: String(headers['toolgate-decision']) })
  }
  await until(async () => Object.keys((await replayed()).left_out).length === 0)
})
afterAll(async () => {
  await toolgate[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

async function replayed(...args: string[]): Promise<Replayed> {
  const { printed, complained } = await runAudit(['replay', ...args, ...record, '--json'])
  if (printed === '') throw new Error(complained)
  return JSON.parse(printed) as Replayed
}

async function bundleOf(rules: string): Promise<string> {
  const path = join(folder.path, 'other.tar.gz')
  await writeFile(path, await compileRules(rules))
  return path
}

describe('toolgate audit replay', () => {
  it('decides every call of a random run as the gateway did, by the bundle that decided it', async () => {
    const { calls, equal, same_bundle, not_decided_by_policy, left_out, flips } = await replayed()
    expect({ equal, same_bundle, left_out, flips }).toEqual({
      equal: calls,
      same_bundle: calls,
      left_out: {},
      flips: [],
    })
    expect(calls + not_decided_by_policy).toBe(made.length)
    expect(calls).toBeGreaterThan(40)
    // A run in which all calls fared alike would prove little.
    expect(new Set(made.map(({ decision }) => decision)).size).toBeGreaterThan(1)
    expect((await runAudit(['replay', '--exit-code', ...record])).exitCode).toBe(0)
  })

  it('counts what another bundle would have decided otherwise, by operation and agent', async () => {
    const bundle = await bundleOf(`
      default decision := {"allow": false, "risk": 9, "reasons": [{"code": "agent.unknown", "rule": "R001", "detail": ""}], "obligations": []}
      decision := {"allow": true, "risk": 1, "reasons": [], "obligations": []} if input.agent.id == "somebody-else"
    `)
    const { calls, same_bundle, flips } = await replayed('--bundle', bundle)
    expect(same_bundle).toBe(0)
    const kinds = new Map<string, Set<string>>()
    for (const { kind, agent } of flips) kinds.set(kind, (kinds.get(kind) ?? new Set()).add(agent))
    expect(kinds.get('allow to deny')).toEqual(new Set(['change-review-agent']))
    expect(kinds.get('deny to allow')).toEqual(new Set(['somebody-else']))
    expect(flips.reduce((sum, { calls: count }) => sum + count, 0)).toBeLessThanOrEqual(calls)
    const { printed, exitCode } = await runAudit(['replay', '--bundle', bundle, '--exit-code', ...record])
    expect(exitCode).toBe(1)
    expect(printed).toMatch(/ \d+ {2}allow to deny {3}github\.pulls\/get +change-review-agent/)
  })

  it('replays what it is asked for', async () => {
    const all = await replayed()
    const some = await replayed('--agent', 'somebody-else')
    expect(some.calls).toBeGreaterThan(0)
    expect(some.calls).toBeLessThan(all.calls)
    expect(some.equal).toBe(some.calls)
    expect((await replayed('--to', '2026-01-01')).calls).toBe(0)
  })

  it('counts and leaves out what it has no key for', async () => {
    const { calls, left_out } = await replayed('--disclosures-key', join(folder.path, 'none.key'))
    expect(calls).toBe(0)
    expect(left_out['locked']).toBeGreaterThan(40)
  })
})
