import { describe, expect, it } from 'vitest'
import type { Caller } from '../../../gateway/caller.ts'
import { DETECTION_NAMES, ruleOf } from '../../../gateway/detections/rules.ts'
import type { Progress } from '../../../gateway/exchange.ts'
import type { Outcome } from '../../../gateway/outcome.ts'
import { syntheticCall, syntheticOutcome } from '../../harness/synthetic-call.ts'
import { LOCK, startDetections } from './start-detections.ts'

const DENIED: Outcome = syntheticOutcome({ code: 'policy.denied' })

function denied(agent?: Partial<Caller['agent']>): readonly [Progress, Outcome] {
  const call = syntheticCall()
  return [{ ...call, caller: { ...call.caller, agent: { ...call.caller.agent, ...agent } } }, DENIED]
}

/** As far as a call gets whose token does not hold. */
function unidentified(code: Outcome['code'], address = '192.0.2.7'): readonly [Progress, Outcome] {
  const { arrival, declared, method } = syntheticCall()
  const peer = { address, secure: true, certificate: undefined }
  return [{ arrival, declared, method, peer }, syntheticOutcome({ code, status: 401 })]
}

describe('a lock by a detection', () => {
  it('is on a name that the caller has proven, for a time, with the detection as its reason', async () => {
    const running = startDetections({
      denials_repeated: { ...LOCK, lock: { scope: 'key', writesOnly: true, forMs: 60_000 } },
    })
    await running.end(denied(), denied(), denied())
    expect(running.locks).toEqual([
      {
        on: { kind: 'key', name: 'thumbprint', issuer: '' },
        reason: 'Policy denied one agent again and again (detection detection-1)',
        writesOnly: true,
        expiresAtMs: running.clock.nowMs() + 60_000,
      },
    ])
    expect(running.raised).toMatchObject([{ lock: { id: 'lock-1', scope: 'key:thumbprint' }, count: 3 }])
  })

  it('names the issuer with an agent or person, because another issuer may use the same name', async () => {
    for (const scope of ['agent', 'principal'] as const) {
      const lock = { scope, writesOnly: false, forMs: 60_000 }
      const running = startDetections({ denials_repeated: { ...LOCK, threshold: 1, lock } })
      await running.end(denied())
      expect(running.locks).toMatchObject([{ on: { kind: scope, issuer: 'https://issuer.example' } }])
    }
  })

  it('that cannot be set leaves the event, and says so', async () => {
    const running = startDetections({ denials_repeated: { ...LOCK, threshold: 1 } }, true)
    await running.end(denied())
    expect(running.raised).toMatchObject([{ rule: 'denials_repeated', lock: undefined }])
    expect(running.failures).toHaveLength(1)
  })

  it('is caused by nobody who has not proven who it is, whatever its requests say', async () => {
    const lock = { scope: 'agent', writesOnly: false, forMs: 60_000 } as const
    const all = Object.fromEntries(DETECTION_NAMES.map((name) => [name, { ...LOCK, threshold: 1, lock }]))
    const running = startDetections(all)
    const { lease: _lease, ...unadmitted } = syntheticCall()
    const replayed = syntheticOutcome({ code: 'identity.proof_replayed', status: 401 })
    await running.end(
      unidentified('identity.token_invalid'),
      unidentified('identity.token_expired'),
      unidentified('identity.binding_mismatch'),
      unidentified('identity.proof_invalid'),
      // Refused by admission: the names are those of the victim whose proof was copied.
      [unadmitted, replayed],
    )
    expect(running.locks).toEqual([])
    expect(new Set(running.rules())).toEqual(new Set(['credential_errors', 'token_moved', 'proof_replayed']))
    expect(running.raised.every(({ subject }) => subject.kind === 'peer')).toBe(true)
  })

  it('is on nothing but the token where that is bound to no key: whoever has a copy of it could do the same', async () => {
    const lock = { scope: 'agent', writesOnly: false, forMs: 60_000 } as const
    const running = startDetections({ denials_repeated: { ...LOCK, threshold: 1, lock } })
    await running.end(denied({ binding: 'none', key: '' }))
    expect([running.rules(), running.locks]).toEqual([['denials_repeated'], []])
  })

  it('is never on a task, which an agent could call as another calls its own', () => {
    for (const name of DETECTION_NAMES) expect(ruleOf(name).locks).not.toContain('task')
  })
})

describe('what is counted', () => {
  it('is counted by agent: what one does raises nothing of another', async () => {
    const running = startDetections()
    await running.end(
      denied(),
      denied(),
      denied({ id: 'other', key: 'another' }),
      denied({ issuer: 'https://other.example', key: 'third' }),
    )
    expect(running.raised).toEqual([])
    await running.end(denied({ id: 'other', key: 'another' }), denied({ id: 'other', key: 'another' }))
    expect(running.raised).toMatchObject([{ subject: { name: 'other' } }])
  })

  it('is counted by network where nobody is proven, because a host of IPv6 has many addresses', async () => {
    const running = startDetections({ credential_errors: { threshold: 3 } })
    const from = (address: string) => unidentified('identity.token_invalid', address)
    await running.end(from('2001:db8:1:2::1'), from('2001:db8:1:2:ffff::2'), from('2001:db8:1:3::1'))
    expect(running.raised).toEqual([])
    await running.end(from('2001:db8:1:2:3:4:5:6'))
    expect(running.raised).toMatchObject([{ subject: { kind: 'peer', name: '2001:db8:1:2::/64' } }])
  })

  it('is nothing where the rule is off', async () => {
    const off = Object.fromEntries(DETECTION_NAMES.map((name) => [name, { action: 'off' as const }]))
    const running = startDetections(off)
    await running.end(denied(), denied(), denied(), unidentified('identity.binding_mismatch'))
    expect(running.raised).toEqual([])
  })

  it('is no more than so much at once, should the store be slow', async () => {
    const running = startDetections()
    const flood = Array.from({ length: 5_000 }, (_, index) => denied({ id: `agent-${String(index)}` }))
    await running.end(...flood)
    expect(running.failures).toEqual([])
  })
})

describe('a change', () => {
  const FIRST_AT_NIGHT: Progress = {
    ...syntheticCall({ access: 'write' }),
    history: { ...syntheticCall().history, firstUse: true },
    input: { ...syntheticCall().input, time: { ...syntheticCall().input.time, business_hours: false } },
  }
  const CHANGES = ['operation_first_use', 'write_outside_hours']

  it.each([
    'policy.denied',
    'approval.required',
    'approval.denied',
    'lock.engaged',
    'audit.unavailable',
  ] as const)('that ends with %s was none, and does not hide the first one that is made', async (code) => {
    const running = startDetections()
    await running.end([FIRST_AT_NIGHT, syntheticOutcome({ code })])
    expect(running.rules().filter((rule) => CHANGES.includes(rule))).toEqual([])
    await running.end([FIRST_AT_NIGHT, syntheticOutcome()])
    expect(
      running
        .rules()
        .filter((rule) => CHANGES.includes(rule))
        .sort(),
    ).toEqual(CHANGES)
  })
})
