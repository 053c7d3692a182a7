import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'
import { ALLOW_EVERYTHING } from '../harness/permissive-rules.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../harness/temporary-directory.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'
const COMMENTS = '/github/repos/zyx/platform-infra/issues/991/comments'
/** Reads are denied, and whatever changes something is allowed. */
const DRAFT = `
decision := {"allow": allow, "risk": 3, "reasons": reasons, "obligations": []}
default allow := false
allow if input.operation.access == "write"
reasons contains {"code": "hours.closed", "rule": "R043", "detail": "not now"} if not allow
`
/** The other way round. */
const READS = DRAFT.replace('"write"', '"read"').replace('R043', 'R044')
const soon = { timeout: 15_000, interval: 50 }

let folder: TemporaryDirectory
let shadowPath: string
let draft: Buffer
let reads: Buffer
beforeAll(async () => {
  folder = await temporaryDirectory()
  shadowPath = join(folder.path, 'draft.tar.gz')
  draft = await compileRules(DRAFT, { revision: 'draft' })
  reads = await compileRules(READS, { revision: 'reads' })
})
afterAll(() => folder[Symbol.asyncDispose]())

interface Status {
  readonly revision: string
  readonly rejected: unknown
  readonly shadow: { readonly revision: string; readonly rejected: unknown; readonly results: unknown }
}
const policyOf = ({ gateway }: TestGateway): Status => (gateway.status() as { policy: Status }).policy
const shadowCalls = (toolgate: TestGateway, result: string): Promise<number> =>
  toolgate.metric('toolgate_policy_shadow_calls_total', { result })

it('a shadow decides allowed and denied calls for the record, the log and the metrics, and for nothing else', async () => {
  await writeFile(shadowPath, draft)
  await using toolgate = await startTestGateway({
    bundle: reads,
    settings: { policy: { shadow: { bundle: shadowPath } } },
  })
  await vi.waitFor(() => expect(policyOf(toolgate).shadow).toMatchObject({ revision: 'draft' }), soon)
  const read = await toolgate.send('GET', PULL)
  expect(read.status).toBe(200)
  const written = await toolgate.send('POST', COMMENTS, {
    headers: { 'content-type': 'application/json' },
    body: '{"body":"x"}',
  })
  expect(written).toMatchObject({ status: 403, code: 'policy.denied' })

  await vi.waitFor(async () => expect(await shadowCalls(toolgate, 'deny_to_allow')).toBe(1), soon)
  expect(await shadowCalls(toolgate, 'allow_to_deny')).toBe(1)
  expect(policyOf(toolgate).shadow.results).toMatchObject({ allow_to_deny: 1, deny_to_allow: 1, same: 0 })
  const callId = String(read.headers['toolgate-call-id'])
  await vi.waitFor(async () => expect(await toolgate.recordsOf(callId)).toHaveLength(3), soon)
  const shadowed = (await toolgate.recordsOf(callId)).find(({ type }) => type === 'shadow')
  expect(shadowed).toMatchObject({
    kind: 'allow_to_deny',
    live: { effect: 'allow', revision: 'reads' },
    shadow: { effect: 'deny', revision: 'draft', risk: 3, reasons: [{ code: 'hours.closed', rule: 'R043' }] },
    rules_added: ['R043'],
    rules_dropped: [],
  })
  await vi.waitFor(async () => {
    const lines = (await toolgate.logLines()).filter(({ event }) => event === 'policy.shadow_differs')
    expect(lines).toMatchObject([
      {
        call_id: callId,
        detail: 'allow_to_deny',
        live_effect: 'allow',
        shadow_effect: 'deny',
        rules_added: 'R043',
      },
      { detail: 'deny_to_allow', live_effect: 'deny', shadow_effect: 'allow', rules_dropped: 'R044' },
    ])
  }, soon)
})

it('a broken shadow keeps no gateway from starting, and a good one takes its place without touching the live policy', async () => {
  await writeFile(shadowPath, 'no bundle')
  await using toolgate = await startTestGateway({
    bundle: await compileRules(ALLOW_EVERYTHING, { revision: 'open' }),
    settings: { policy: { shadow: { bundle: shadowPath, sample: 1 } } },
  })
  expect((await toolgate.send('GET', PULL)).status).toBe(200)
  await vi.waitFor(
    () => expect(policyOf(toolgate).shadow).toMatchObject({ rejected: { problem: 'archive' } }),
    soon,
  )
  expect(await toolgate.metric('toolgate_policy_shadow_rejections_total', { problem: 'archive' })).toBe(1)
  expect(await toolgate.metric('toolgate_policy_last_reload_successful')).toBe(1)
  expect(policyOf(toolgate)).toMatchObject({ revision: 'open', rejected: undefined })

  await writeFile(shadowPath, draft)
  await vi.waitFor(() => expect(policyOf(toolgate).shadow).toMatchObject({ revision: 'draft' }), soon)
  expect(await toolgate.metric('toolgate_policy_shadow_info', { revision: 'draft' })).toBe(1)
  expect((await toolgate.send('GET', PULL)).status).toBe(200)
  await vi.waitFor(async () => expect(await shadowCalls(toolgate, 'allow_to_deny')).toBe(1), soon)
  const loaded = (await toolgate.logLines()).filter(({ event }) => event === 'policy.loaded')
  expect(loaded).toHaveLength(1)
})
