import { describe, expect, it } from 'vitest'
import type { Caller } from '../../../gateway/caller.ts'
import { DETECTION_NAMES, ruleOf } from '../../../gateway/detections/rules.ts'
import type { Progress } from '../../../gateway/exchange.ts'
import type { Outcome } from '../../../gateway/outcome.ts'
import { scrub } from '../../../gateway/lib/scrub.ts'
import { ballot, person, subject } from '../../harness/approval.ts'
import { startApprovals } from '../../harness/approvals.ts'
import { syntheticCall, syntheticOutcome } from '../../harness/synthetic-call.ts'
import { startDetections } from './start-detections.ts'

const DENIED: Outcome = syntheticOutcome({ code: 'policy.denied' })
const LOCK = { action: 'lock' } as const

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

describe('a token or key', () => {
  const from = (address: string, changes: Partial<Caller> = {}): readonly [Progress, Outcome] => {
    const call = syntheticCall()
    const peer = { address, secure: true, certificate: undefined }
    return [{ ...call, peer, caller: { ...call.caller, ...changes } }, syntheticOutcome()]
  }

  it('that comes from another workload is raised, and the one that it came from first is not', async () => {
    const running = startDetections({
      token_moved: { ...LOCK, lock: { scope: 'token', writesOnly: false, forMs: 60_000 } },
    })
    await running.end(from('192.0.2.1'), from('192.0.2.1'))
    expect(running.raised).toEqual([])
    await running.end(from('192.0.2.2'))
    expect(running.raised).toMatchObject([
      {
        rule: 'token_moved',
        detail: 'the token came from 192.0.2.1 (dpop) before, and from 192.0.2.2 (dpop) now',
      },
    ])
    expect(running.locks).toMatchObject([{ on: { kind: 'token', name: 'token-1' } }])
  })

  it('may come from another address when its certificate proves the same workload', async () => {
    const running = startDetections()
    const certificate = { x5t: 'x5t', uris: ['spiffe://zyx/agent'], notAfterMs: 0 }
    const call = syntheticCall()
    const proven = (address: string): readonly [Progress, Outcome] => [
      { ...call, peer: { address, secure: true, certificate } },
      syntheticOutcome(),
    ]
    await running.end(proven('192.0.2.1'), proven('192.0.2.2'))
    expect(running.raised).toEqual([])
  })

  it.each([
    ['an address', undefined, '192.0.2.9 (dpop)'],
    [
      'a certificate without a name',
      { x5t: 'aB3d'.repeat(10), uris: [], notAfterMs: 0 },
      'certificate 681ddd',
    ],
    ['a name', { x5t: 'x5t', uris: ['spiffe://zyx/9'], notAfterMs: 0 }, 'spiffe://zyx/9 (dpop)'],
  ])('is said to come from %s in words that nobody takes for a secret', async (_, certificate, words) => {
    const running = startDetections()
    const peer = { address: '192.0.2.9', secure: true, certificate }
    await running.end(from('192.0.2.1'), [{ ...syntheticCall(), peer }, syntheticOutcome()])
    const detail = running.raised.map((each) => each.detail).join()
    expect(detail).toContain(words)
    expect(scrub(detail, 256)).toBe(detail)
  })

  it('that two agents use is raised', async () => {
    const running = startDetections()
    const { agent } = syntheticCall().caller
    await running.end(from('192.0.2.1'))
    await running.end(from('192.0.2.1', { tokenId: 'token-2', agent: { ...agent, id: 'other' } }))
    expect(running.raised).toMatchObject([
      { rule: 'token_moved', detail: 'the key is that of https://issuer.example#change-review, too' },
    ])
  })
})

describe('approvals', () => {
  it('of which one agent asks very many are raised, with the last that is enough', async () => {
    await using approvals = await startApprovals()
    const approval = await approvals.request()
    const running = startDetections({ approvals_spike: { ...LOCK, threshold: 3 } })
    const ask = () => running.detections.approvalEvent({ kind: 'requested', atMs: 0, approval })
    ask()
    ask()
    await running.end()
    expect(running.raised).toEqual([])
    ask()
    await running.end()
    expect(running.raised).toMatchObject([{ rule: 'approvals_spike', count: 3, subject: { kind: 'agent' } }])
    expect(running.locks).toMatchObject([{ on: { kind: 'agent', name: approval.subject.agent.id } }])
  })

  it('that somebody answers who may not are raised, of the very service that refuses them', async () => {
    await using approvals = await startApprovals()
    const approval = await approvals.request()
    const running = startDetections({ vote_not_entitled: LOCK })
    const ballot = {
      person: {
        id: 'mallory',
        issuer: 'https://people.example',
        groups: ['nobodies'],
        channel: 'admin',
        authentication: 'pwd',
      },
      verdict: 'approve',
      viewDigest: approval.subject.viewDigest,
      comment: '',
    } as const
    await approvals.service.vote(approval.id, ballot)
    for (const event of approvals.events) running.detections.approvalEvent(event)
    await running.end()
    expect(running.raised).toMatchObject([
      {
        rule: 'vote_not_entitled',
        subject: { kind: 'person', name: 'mallory', issuer: 'https://people.example' },
        detail: `not_entitled: approve of approval ${approval.id} through admin`,
      },
    ])
    expect(running.locks).toMatchObject([{ on: { kind: 'principal', name: 'mallory' } }])
  })

  it('that are reviews and get a no are raised, and lock who made the call; a no beforehand is none', async () => {
    await using approvals = await startApprovals()
    const review = await approvals.request({ kind: 'review' })
    const approval = await approvals.request()
    const running = startDetections({ review_denied: LOCK })
    for (const { id } of [approval, review])
      await approvals.service.vote(id, ballot(person('alice@acme.example'), { verdict: 'deny' }))
    for (const event of approvals.events) running.detections.approvalEvent(event)
    await running.end()
    expect(running.raised).toMatchObject([{ rule: 'review_denied', detail: `review ${review.id}` }])
    expect(running.locks).toMatchObject([{ on: { kind: 'agent', name: review.subject.agent.id } }])
  })

  it('lock nobody whose token was bound to no key: a copy of it could have asked', async () => {
    await using approvals = await startApprovals()
    const agent = { id: 'release-bot', issuer: 'https://issuer.example', key: '' }
    const approval = await approvals.request({ kind: 'review', subject: subject({ agent }) })
    const running = startDetections({ review_denied: LOCK, approvals_spike: { ...LOCK, threshold: 1 } })
    running.detections.approvalEvent({ kind: 'denied', atMs: 0, approval })
    running.detections.approvalEvent({
      kind: 'requested',
      atMs: 0,
      approval: { ...approval, kind: 'approval' },
    })
    await running.end()
    expect([running.rules().toSorted(), running.locks]).toEqual([['approvals_spike', 'review_denied'], []])
  })

  it('lock nobody for whom only a channel vouches', async () => {
    await using approvals = await startApprovals()
    const approval = await approvals.request()
    const running = startDetections({ vote_not_entitled: LOCK })
    const ballot = {
      person: {
        id: 'dana@zyx.example',
        issuer: 'slack:T1',
        groups: [],
        channel: 'slack',
        authentication: '',
      },
      verdict: 'deny',
      viewDigest: '',
      comment: '',
    } as const
    running.detections.approvalEvent({ kind: 'vote_refused', atMs: 0, approval, ballot, why: 'excluded' })
    running.detections.approvalEvent({ kind: 'vote_refused', atMs: 0, approval, ballot, why: 'stale_view' })
    await running.end()
    expect([running.rules(), running.locks]).toEqual([['vote_not_entitled'], []])
  })
})
