/** Every part of a call on its own, to stand beside its budget: `npm run bench -- --only parts`. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readCases } from '../../gateway/policy/authoring/cases.ts'
import { startIssuer } from '../harness/issuer.ts'
import { decideNow, startPolicy } from '../harness/opa.ts'
import { startRedis } from '../harness/redis.ts'
import { connectorNamed, loadCommitted } from '../unit/catalog/catalog-harness.ts'
import { isShort } from './measure.ts'
import { admitterOf, embeddedStore, redisStore, routedCall } from './parts/admission.ts'
import { BUDGETS } from './parts/budgets.ts'
import type { Part } from './parts/budgets.ts'
import { createProver, provenCalls, unprovenCall } from './parts/proven-calls.ts'
import { startRecorder } from './parts/recorded-calls.ts'

const POLICIES = join(import.meta.dirname, '..', '..', 'policies-rego')
const LENGTH = isShort ? { time: 100, warmupTime: 50 } : { time: 3_000, warmupTime: 500 }
const TIMEOUT_MS = 60_000

type Work = (calls: number) => unknown

interface MeasuredPart {
  readonly name: Part
  /** Makes what is measured, which is gone afterwards. */
  readonly prepare: (own: AsyncDisposableStack) => Promise<Work> | Work
}

const parts: MeasuredPart[] = []

function part(name: Part, prepare: MeasuredPart['prepare']): void {
  parts.push({ name, prepare })
}

/** One after another, as many as belong to a sample. */
function repeated(work: () => void): Work {
  return (calls) => {
    for (let count = 0; count < calls; count += 1) work()
  }
}

part('identity: a token that is in the cache', async (own) => {
  const issuer = own.use(await startIssuer())
  const prover = own.use(await createProver(issuer))
  return repeated(prover.inTurn([unprovenCall(issuer)]))
})

part('identity: DPoP proof by a known key', async (own) => {
  const issuer = own.use(await startIssuer())
  const prover = own.use(await createProver(issuer))
  return repeated(prover.inTurn(provenCalls(issuer, 'ES256', 500)))
})

part('route: one of 1,222 operations', () => {
  const catalog = loadCommitted()
  const github = connectorNamed(catalog, 'github')
  return repeated(() => {
    if (!catalog.match(github, 'GET', '/repos/zyx/platform-infra/pulls/991').ok) throw new Error('not found')
  })
})

for (const [name, title] of [
  ['policy: an allowed read', 'dana through the change review: read the pull request'],
  ['policy: an allowed comment', 'dana through the change review: comment on the change ticket'],
] as const) {
  part(name, async (own) => {
    const cases = await readCases(join(POLICIES, 'cases'))
    const input = cases.find((one) => one.title === title)?.input
    if (input === undefined) throw new Error(`there is no case "${title}"`)
    const { policy } = own.use(await startPolicy(await readFile(join(POLICIES, 'bundle.tar.gz'))))
    return repeated(() => {
      const verdict = decideNow(policy, { ...input })
      if (!verdict.ok || !verdict.value.allow) throw new Error('not allowed')
    })
  })
}

part('limits: six, in memory', (own) => {
  const store = embeddedStore()
  own.defer(() => store.close())
  const admit = admitterOf(store)
  let index = 0
  return async (calls) => {
    for (let count = 0; count < calls; count += 1) await admit(routedCall(index++, 1))
  }
})

part('limits: six, one trip to Redis, 100 in flight', async (own) => {
  const redis = own.use(await startRedis())
  const { store } = await redisStore(redis.url)
  own.defer(() => store.close())
  const admit = admitterOf(store)
  let index = 0
  return (calls) => Promise.all(Array.from({ length: calls }, () => admit(routedCall(index++, 1))))
})

for (const [name, access] of [
  ['audit: intent and outcome of a read', 'read'],
  ['audit: intent and outcome of a write, 512 in flight', 'write'],
] as const) {
  part(name, async (own) => {
    const recorder = own.use(await startRecorder(access))
    return (calls) => recorder.record(calls)
  })
}

test.for(parts)('$name', { timeout: TIMEOUT_MS }, async ({ name, prepare }, { bench }) => {
  const own = new AsyncDisposableStack()
  onTestFinished(() => own.disposeAsync())
  const work = await prepare(own)
  const { calls } = BUDGETS[name]
  const { latency } = await bench(name, () => work(calls)).run(LENGTH)
  expect(latency.samplesCount).toBeGreaterThan(0)
})
