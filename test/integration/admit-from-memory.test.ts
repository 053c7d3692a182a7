import { expect, it } from 'vitest'
import type { LimitsConfig } from '../../gateway/config/config.ts'
import { compileDemand } from '../../gateway/limits/demand.ts'
import { createUpstreamBreakers } from '../../gateway/limits/upstream-breakers.ts'
import { createAdmit } from '../../gateway/stages/admit.ts'
import { createEmbeddedAdmissionStore } from '../../gateway/store/embedded-admission-store.ts'
import { NO_LOCKS } from '../harness/no-locks.ts'
import { virtualClock, type VirtualClock } from '../harness/virtual-clock.ts'
import { EVERYTHING, NO_LIMITS, routedCall } from './admit-gateway.ts'

interface Started {
  readonly clock: VirtualClock
  readonly limited: string[]
  /** Fails the test when the answer is not there at once. */
  admit(): Exclude<ReturnType<ReturnType<typeof createAdmit>>, Promise<unknown>>
}

function start(limits: LimitsConfig): Started {
  const clock = virtualClock()
  const limited: string[] = []
  const admit = createAdmit({
    locks: NO_LOCKS,
    store: createEmbeddedAdmissionStore({ clock, proofLifetimeMs: 70_000 }),
    demand: compileDemand({
      limits,
      agentBreaker: { failures: 100, windowMs: 60_000, openMs: 60_000 },
      shares: 1,
    }),
    upstreams: createUpstreamBreakers({
      settings: { failures: 2, windowMs: 10_000, openMs: 5_000, halfOpenCalls: 1 },
      clock,
    }),
    dataClasses: () => [],
    replayChallenge: () => [],
    onLimited: (kind, name) => limited.push(`${kind} ${name}`),
  })
  return {
    clock,
    limited,
    admit: () => {
      const verdict = admit(routedCall({}))
      if (verdict instanceof Promise) throw new Error('admission from memory must not wait')
      return verdict
    },
  }
}

const rate = {
  name: 'pace',
  by: ['agent'] as const,
  match: EVERYTHING,
  calls: 60,
  windowMs: 60_000,
  burst: 1,
}

it('answers without a promise, and says in headers what is left', () => {
  const { admit, limited } = start({ ...NO_LIMITS, rates: [rate] })
  expect(admit()).toMatchObject({ ok: true, value: { limits: [{ name: 'pace', remaining: 0 }] } })
  expect(admit()).toEqual({
    ok: false,
    refusal: {
      code: 'limit.rate',
      detail: 'pace',
      retryAfterMs: 1_000,
      headers: ['RateLimit-Policy', '"pace";q=60;w=60', 'RateLimit', '"pace";r=0;t=1'],
    },
  })
  expect(limited).toEqual(['rate pace'])
})

it('gives the only probe of a half-open breaker back when a limit refuses the call', () => {
  const { admit, clock } = start({
    ...NO_LIMITS,
    rates: [{ ...rate, calls: 1, windowMs: 3_600_000, burst: 2 }],
  })
  for (let failure = 0; failure < 2; failure++) {
    const verdict = admit()
    if (verdict.ok)
      verdict.value.lease.settle({
        outcome: 'upstream.timeout',
        attempted: true,
        upstreamStatus: 0,
        upstreamMs: 0,
      })
  }
  expect(admit()).toMatchObject({
    ok: false,
    refusal: { code: 'breaker.upstream_open', retryAfterMs: 5_000 },
  })
  clock.advance(5_000)
  for (let attempt = 0; attempt < 5; attempt++) {
    expect(admit()).toMatchObject({ ok: false, refusal: { code: 'limit.rate' } })
  }
})

it('lets one probe through a half-open breaker, and all calls after its success', () => {
  const { admit, clock } = start(NO_LIMITS)
  for (let failure = 0; failure < 2; failure++) {
    const verdict = admit()
    if (verdict.ok)
      verdict.value.lease.settle({ outcome: 'allowed', attempted: true, upstreamStatus: 503, upstreamMs: 1 })
  }
  clock.advance(5_000)
  const probe = admit()
  expect(admit()).toMatchObject({ ok: false, refusal: { code: 'breaker.upstream_open' } })
  if (probe.ok)
    probe.value.lease.settle({ outcome: 'allowed', attempted: true, upstreamStatus: 404, upstreamMs: 1 })
  expect([admit().ok, admit().ok, admit().ok]).toEqual([true, true, true])
})
