import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { CallId } from '../../../gateway/exchange.ts'
import { systemClock } from '../../../gateway/lib/clock.ts'
import type { PolicyInput } from '../../../gateway/policy/input.ts'
import type { Policy } from '../../../gateway/policy/policy.ts'
import { Shadow, type ShadowEvent, type ShadowOptions } from '../../../gateway/policy/shadow.ts'
import { compileRules, FRIEND, FRIEND_RULES, friendWithBody, startPolicy } from '../../harness/opa.ts'
import type { RunningPolicy } from '../../harness/opa.ts'
import { createBundleKey, dataBundle, signedBundle } from '../../harness/signed-bundle.ts'
import { SECONDS_WISH, SLOW_RULES } from '../../harness/slow-rules.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../../harness/temporary-directory.ts'

const FOE: PolicyInput = { ...FRIEND, agent: { ...FRIEND.agent, id: 'foe' } }
const OPEN = `allow if {
	input.agent.id == "friend"
	not input.params.body.closed
}`
const soon = { timeout: 8_000, interval: 10 }

let folder: TemporaryDirectory
let bundlePath: string
let events: ShadowEvent[]
async function shadowOf(
  live: Policy,
  bundle: Buffer,
  more: Partial<ShadowOptions['origin']> = {},
): Promise<Shadow> {
  folder = await temporaryDirectory()
  bundlePath = join(folder.path, 'shadow.tar.gz')
  events = []
  await writeFile(bundlePath, bundle)
  return new Shadow({
    origin: { bundlePath, ...more },
    live,
    sample: 1,
    watch: true,
    memoryLimitPages: 2048,
    budgetMs: 500,
    clock: systemClock,
    onEvent: (event) => void events.push(event),
  })
}

const inForce = (shadow: Shadow, revision: string): Promise<void> =>
  vi.waitFor(() => expect(shadow.revision).toBe(revision), soon)
const rejected = (shadow: Shadow, problem: string): Promise<void> =>
  vi.waitFor(() => expect(shadow.status().rejected?.problem).toBe(problem), soon)
const counted = (shadow: Shadow, results: object): Promise<void> =>
  vi.waitFor(() => expect(shadow.status().results).toMatchObject(results), soon)

let calls = 0
/** Lets the live policy decide a call, as the decide stage does, and the shadow hear of it. */
async function decide(live: Policy, shadow: Shadow, input: PolicyInput): Promise<CallId> {
  calls += 1
  const callId = `call-${calls}` as CallId
  const { digest, revision } = live
  shadow.observe({ callId, input, verdict: await live.decide(input), by: { digest, revision } })
  return callId
}

describe('a shadow', () => {
  let running: RunningPolicy
  let shadow: Shadow
  beforeAll(async () => {
    running = await startPolicy(await compileRules(FRIEND_RULES, { revision: 'live' }))
    const open = SLOW_RULES.replace('allow if input.agent.id == "friend"', OPEN).replace(
      '"obligations": []',
      '"obligations": obligations',
    )
    const rules = `${open}
default obligations := []
obligations := "none" if input.params.body.nonsense
reasons contains {"code": "hours.closed", "rule": "R043", "detail": ""} if input.params.body.closed
allow if input.agent.id == "foe"
`
    shadow = await shadowOf(running.policy, await compileRules(rules, { revision: 'draft' }))
    await inForce(shadow, 'draft')
  })
  afterAll(async () => {
    await shadow[Symbol.asyncDispose]()
    await running[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  test('counts a call that it decides alike, and tells of those that it does not, denied ones included', async () => {
    await decide(running.policy, shadow, FRIEND)
    const denied = await decide(running.policy, shadow, friendWithBody({ closed: true }))
    const allowed = await decide(running.policy, shadow, FOE)
    await counted(shadow, { same: 1, allow_to_deny: 1, deny_to_allow: 1 })
    expect(events).toMatchObject([
      { type: 'activated', revision: 'draft', digest: shadow.digest },
      { type: 'decided', result: 'same' },
      { type: 'decided', result: 'allow_to_deny' },
      { type: 'differed', difference: { callId: denied, rulesAdded: ['R001', 'R043'], rulesDropped: [] } },
      { type: 'decided', result: 'deny_to_allow' },
      { type: 'differed', difference: { callId: allowed, rulesAdded: [], rulesDropped: ['R001'] } },
    ])
  })

  test('that throws, or returns nonsense, differs by an error and goes on', async () => {
    const { error, same } = shadow.status().results
    await decide(running.policy, shadow, friendWithBody({ conflict: true }))
    await decide(running.policy, shadow, friendWithBody({ nonsense: true }))
    await decide(running.policy, shadow, FRIEND)
    await counted(shadow, { error: error + 2, same: same + 1 })
    const failures = events.flatMap((event) => (event.type === 'differed' ? [event.difference] : []))
    expect(failures.slice(-2).map((difference) => difference.shadow.verdict)).toMatchObject([
      { ok: false, refusal: { code: 'policy.error' } },
      { ok: false, refusal: { code: 'policy.invalid' } },
    ])
  })

  test('is not asked what no policy can be asked', async () => {
    const { waiting, results } = shadow.status()
    await decide(running.policy, shadow, friendWithBody({ text: '\ud800' }))
    expect(shadow.status()).toMatchObject({ waiting, results })
  })

  test('that stalls holds up neither the live policy nor anything else in its thread', async () => {
    const { error, same } = shadow.status().results
    let longestMs = 0
    let lastMs = performance.now()
    const ticking = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - lastMs)
      lastMs = performance.now()
    }, 5)
    await decide(running.policy, shadow, friendWithBody({ wish: SECONDS_WISH }))
    await counted(shadow, { error: error + 1 })
    clearInterval(ticking)
    // The evaluation takes seconds, and was ended after its budget.
    expect(longestMs).toBeLessThan(400)
    await vi.waitFor(async () => {
      await decide(running.policy, shadow, FRIEND)
      expect(shadow.status().results.same).toBeGreaterThan(same)
    }, soon)
  })
})

describe('a shadow bundle', () => {
  let friends: Buffer
  beforeAll(async () => {
    friends = await compileRules(FRIEND_RULES, { revision: 'friends' })
  })
  let running: RunningPolicy
  beforeEach(async () => {
    running = await startPolicy(friends)
  })
  afterEach(async () => {
    await running[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  test('is believed for its own signature; a bad one is reported, and leaves what there is', async () => {
    const key = createBundleKey('EdDSA')
    await using keys = await temporaryDirectory()
    const keyFile = join(keys.path, 'draft.pem')
    await writeFile(keyFile, key.publicPem)
    const verification = { keyFile, algorithm: 'EdDSA', scope: '', keyId: undefined } as const
    await using shadow = await shadowOf(running.policy, friends, { verification })
    await rejected(shadow, 'signature')
    expect(shadow.digest).toBeUndefined()
    await decide(running.policy, shadow, FRIEND)
    expect(shadow.status()).toMatchObject({ waiting: 0, results: { same: 0, dropped: 0 } })

    await writeFile(bundlePath, await signedBundle({ key, revision: 'draft' }))
    await inForce(shadow, 'draft')
    expect(shadow.status().rejected).toBeUndefined()
    await writeFile(bundlePath, 'no bundle')
    await rejected(shadow, 'archive')
    expect(shadow.revision).toBe('draft')
    expect(running.policy.status().rejected).toBeUndefined()
    expect(events.map(({ type }) => type)).toEqual(['rejected', 'activated', 'rejected'])
  })

  test('decides with the data that the live policy has, and follows it', async () => {
    const rules = `
decision := {"allow": allow, "risk": 0, "reasons": reasons, "obligations": []}
default allow := false
allow if data.registry.agents[input.agent.id]
reasons contains {"code": "agent.unknown", "rule": "R001", "detail": ""} if not allow
`
    const roots = ['gateway']
    await using data = await temporaryDirectory()
    const agentsPath = join(data.path, 'agents.tar.gz')
    const agents = (text: string): Promise<Buffer> => dataBundle({ roots: { 'registry/agents': text } })
    await writeFile(agentsPath, await agents('{"friend": true}'))
    await using live = await startPolicy(await compileRules(rules, { revision: 'live', roots }), {
      watch: true,
      data: { agents: { bundlePath: agentsPath } },
    })
    await using shadow = await shadowOf(live.policy, await compileRules(rules, { revision: 'twin', roots }))
    await inForce(shadow, 'twin')
    await decide(live.policy, shadow, FRIEND)
    await counted(shadow, { same: 1 })

    const before = shadow.digest
    await writeFile(agentsPath, await agents('{"foe": true}'))
    await vi.waitFor(() => expect(shadow.digest).not.toBe(before), soon)
    await decide(live.policy, shadow, FRIEND)
    await decide(live.policy, shadow, FOE)
    await counted(shadow, { same: 3 })
  })
})
