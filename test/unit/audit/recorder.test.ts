import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { CallId } from '../../../gateway/exchange.ts'
import type { AuditLog, AuditLogHealth, Durability } from '../../../gateway/audit/audit-log.ts'
import { ENTRY_LIMIT_BYTES } from '../../../gateway/audit/audit-log.ts'
import { decodeEntry, type AuditEntry } from '../../../gateway/audit/entry.ts'
import { createKeyedTokens } from '../../../gateway/audit/keyed-tokens.ts'
import { openEntries, Recorder } from '../../../gateway/audit/recorder.ts'
import { canonicalJson } from '../../../gateway/policy/bundles/canonical-json.ts'
import { GatewayFault } from '../../../gateway/fault.ts'
import { systemClock } from '../../../gateway/lib/clock.ts'
import { syntheticCall, syntheticOutcome, syntheticSealed } from '../../harness/synthetic-call.ts'

interface MemoryLog extends AuditLog {
  readonly appended: { readonly bytes: Buffer; readonly durability: Durability }[]
  health: () => AuditLogHealth
  failing: boolean
}

function memoryLog(): MemoryLog {
  const appended: MemoryLog['appended'] = []
  return {
    epoch: 'e',
    appended,
    failing: false,
    async append(entry, durability) {
      if (this.failing) throw new GatewayFault('audit.unavailable', 'the audit log failed')
      appended.push({ bytes: Buffer.from(entry), durability })
      return { epoch: 'e', index: appended.length - 1 }
    },
    health: () => ({ state: 'open', queuedBytes: 0, detail: '' }),
    seal: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }
}

function recorderOn(log: AuditLog, openCalls = new Set<string>()): Recorder {
  return new Recorder({
    log,
    tokens: createKeyedTokens(randomBytes(32), '2026-11'),
    clock: systemClock,
    durability: { read: 'flushed', write: 'strict' },
    openCalls,
  })
}

const entries = (log: MemoryLog): (AuditEntry | undefined)[] =>
  log.appended.map(({ bytes }) => decodeEntry(bytes))

describe('an intent', () => {
  it.each([
    ['read', 'flushed'],
    ['write', 'strict'],
    ['execute', 'strict'],
  ] as const)('of a %s is %s', async (access, durability) => {
    const log = memoryLog()
    expect(await recorderOn(log).intend(syntheticSealed({ access }))).toMatchObject({ ok: true })
    expect(log.appended[0]?.durability).toBe(durability)
  })

  it('leaves groups off that are too many, or hold a secret, rather than cut them', async () => {
    for (const groups of [
      Array.from({ length: 17 }, String),
      ['x'.repeat(129)],
      ['ghp_0123456789abcdef0123'],
    ]) {
      const log = memoryLog()
      const caller = { principal: { id: 'mira', groups, deviceCompliant: true, act: [] } }
      await recorderOn(log).intend(syntheticSealed({ caller }))
      expect(entries(log)[0]).toMatchObject({ facts: { device_compliant: true } })
      expect(entries(log)[0]).not.toHaveProperty('facts.groups')
    }
  })

  it('says who, for whom, what, on what, why and under which policy', async () => {
    const log = memoryLog()
    const declared = { task: 'T-1', ticket: 'CHG-18422', rationale: 'review', rollbackPlan: 'close it' }
    await recorderOn(log).intend(syntheticSealed({ callId: 'call-1', declared, body: '{"a":1}' }))
    expect(entries(log)[0]).toEqual({
      v: 1,
      type: 'decision',
      call: 'call-1',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
      received: '2026-11-21T09:00:00.125Z',
      trace: '4bf92f3577b34da6a3ce929d0e0e4736',
      who: {
        agent: 'change-review',
        issuer: 'https://issuer.example',
        binding: 'dpop',
        key: 'thumbprint',
        principal: 'mira',
        act: ['change-review'],
        tenant: 'zyx',
        token: 'token-1',
      },
      what: {
        connector: 'github',
        operation: 'github.pulls/get',
        access: 'read',
        method: 'GET',
        params: expect.stringMatching(/^hmac:2026-11:[\w-]{43}$/) as string,
      },
      resource: {
        project: '',
        repository: 'zyx/platform-infra',
        channel: '',
        account: '',
        amount: 0,
        currency: '',
      },
      environment: 'development',
      decision: 'allow',
      risk: 1,
      reasons: [],
      lock_epoch: 7,
      obligations: [],
      policy: { digest: 'sha256:3f1c', revision: '2026-11-21.1' },
      facts: {
        groups: ['sre'],
        device_compliant: true,
        scopes: [],
        authorization_details: 0,
        risk: 1,
        data_class: 'internal',
        phase: '',
        reversible: true,
        truncated: false,
        calls_1m: 0,
        denials_10m: 0,
        errors_1h: 0,
        findings: { injection: [], pii: [], secrets: [] },
        writes_task: 0,
        first_use: false,
        operations_task: [],
        operations_1h: [],
        data_classes_task: [],
        data_classes_1h: [],
        spend_day: 0,
        spend_task: 0,
      },
      declared: {
        task: 'T-1',
        ticket: 'CHG-18422',
        rationale: 'review',
        rollback_plan: expect.stringMatching(/^hmac:/) as string,
      },
      credential: 'file:1',
      request: { kind: 'json', bytes: 7, digest: expect.stringMatching(/^hmac:/) as string },
    })
  })

  it('shows what a connector calls sensitive as a keyed token, as it always does an account', async () => {
    const log = memoryLog()
    const recorder = recorderOn(log)
    const resource = { repository: 'zyx/infra', channel: 'D0AB', project: 'PAY', account: '4711' }
    await recorder.intend(syntheticSealed({ resource }))
    await recorder.intend(syntheticSealed({ resource, sensitiveResources: ['channel', 'repository'] }))
    const token = expect.stringMatching(/^hmac:2026-11:[\w-]{22}$/) as string
    expect(entries(log)).toMatchObject([
      { resource: { repository: 'zyx/infra', channel: 'D0AB', project: 'PAY', account: token } },
      { resource: { repository: token, channel: token, project: 'PAY', account: token } },
    ])
  })

  it('shows a name or ticket as a keyed token in which a detector finds a person or a secret', async () => {
    const log = memoryLog()
    const recorder = recorderOn(log)
    const resource = { repository: '4111-1111-1111-1111', channel: '@jane.roe@zyx.example', project: 'PAY' }
    await recorder.intend(syntheticSealed({ resource, declared: { ticket: 'GB33BUKB20201555555555' } }))
    await recorder.intend(syntheticSealed({ resource: { project: 'AKIAIOSFODNN7EXAMPLE' } }))
    const token = expect.stringMatching(/^hmac:2026-11:[\w-]{22}$/) as string
    expect(entries(log)).toMatchObject([
      { resource: { repository: token, channel: token, project: 'PAY' }, declared: { ticket: token } },
      { resource: { repository: 'zyx/platform-infra', project: token }, declared: { ticket: '' } },
    ])
  })

  it('that the log will not take is a refusal, and leaves no open call behind', async () => {
    const log = memoryLog()
    log.failing = true
    const openCalls = new Set<string>()
    const verdict = await recorderOn(log, openCalls).intend(syntheticSealed())
    expect(verdict).toMatchObject({ ok: false, refusal: { code: 'audit.unavailable' } })
    expect(openCalls.size).toBe(0)
  })

  it.each([
    [{ state: 'failed', queuedBytes: 0, detail: 'EIO' }, 'the audit log is failed: EIO'],
    [{ state: 'sealed', queuedBytes: 0, detail: '' }, 'the audit log is sealed'],
    [{ state: 'open', queuedBytes: 16_777_217, detail: '' }, 'the audit queue is full'],
  ] as const)('is refused while the log is %o', async (health, detail) => {
    const log = memoryLog()
    log.health = () => health
    const recorder = recorderOn(log)
    expect(recorder.trouble()).toBe(detail)
    expect(await recorder.intend(syntheticSealed())).toMatchObject({
      ok: false,
      refusal: { code: 'audit.unavailable', detail },
    })
    expect(log.appended).toEqual([])
  })
})

describe('an outcome', () => {
  it('after an intent says how it ended and no more', async () => {
    const log = memoryLog()
    const openCalls = new Set<string>()
    const recorder = recorderOn(log, openCalls)
    const sealed = syntheticSealed()
    await recorder.intend(sealed)
    expect(openCalls.size).toBe(1)
    await recorder.conclude(sealed.permit.call, syntheticOutcome())
    expect(openCalls.size).toBe(0)
    const outcome = entries(log)[1]
    expect(outcome).toMatchObject({
      type: 'outcome',
      call: sealed.permit.call.arrival.callId,
      outcome: 'allowed',
      status: 200,
      upstream: { status: 200, ms: 12 },
    })
    expect(outcome).not.toHaveProperty('who')
  })

  it('of a call refused by policy is one entry with everything known', async () => {
    const log = memoryLog()
    const { decision, policy, ...call } = syntheticCall({ callId: 'refused' })
    const reasons = [{ code: 'group.not_allowed', rule: 'R010', detail: 'sre' }] as const
    const decidedBy = { digest: 'sha256:that-decided', revision: 'then', risk: 7 }
    await recorderOn(log).conclude(call, syntheticOutcome({ code: 'policy.denied', reasons, decidedBy }))
    expect(entries(log)).toMatchObject([
      {
        type: 'outcome',
        call: 'refused',
        outcome: 'policy.denied',
        who: { principal: 'mira' },
        what: { operation: 'github.pulls/get' },
        resource: { repository: 'zyx/platform-infra' },
        policy: { digest: 'sha256:that-decided', revision: 'then' },
        risk: 7,
        reasons,
      },
    ])
    expect([decision.allow, policy.revision]).toEqual([true, '2026-11-21.1'])
  })

  it('of a call refused at the door is one entry', async () => {
    const log = memoryLog()
    const { arrival } = syntheticCall({ callId: 'at the door' })
    await recorderOn(log).conclude({ arrival }, syntheticOutcome({ code: 'request.ambiguous', status: 400 }))
    expect(entries(log)).toMatchObject([{ call: 'at the door', outcome: 'request.ambiguous', status: 400 }])
  })

  it('of what was no request is one entry', async () => {
    const log = memoryLog()
    await recorderOn(log).concludeUnparsed({
      callId: 'u' as CallId,
      receivedAtMs: 0,
      peerAddress: '192.0.2.7',
      refusal: { code: 'request.malformed', detail: 'HPE_INVALID_METHOD' },
      status: 400,
    })
    expect(entries(log)).toMatchObject([
      { call: 'u', outcome: 'request.malformed', peer: '192.0.2.7', detail: 'HPE_INVALID_METHOD' },
    ])
  })

  it('keeps the call open when it could not be put on record', async () => {
    const log = memoryLog()
    const openCalls = new Set<string>()
    const recorder = recorderOn(log, openCalls)
    const sealed = syntheticSealed()
    await recorder.intend(sealed)
    log.failing = true
    await expect(recorder.conclude(sealed.permit.call, syntheticOutcome())).rejects.toThrow(GatewayFault)
    expect(openCalls.size).toBe(1)
  })
})

describe('an entry', () => {
  it('is canonical JSON (RFC 8785), of a call allowed, concluded, denied and turned away', async () => {
    const log = memoryLog()
    const recorder = recorderOn(log)
    const sealed = syntheticSealed({ body: '{}', declared: { rationale: 'ünicode “quotes”' } })
    await recorder.intend(sealed)
    await recorder.conclude(sealed.permit.call, syntheticOutcome())
    await recorder.conclude(sealed.permit.call, syntheticOutcome({ code: 'policy.denied' }))
    await recorder.conclude({ arrival: sealed.permit.call.arrival }, syntheticOutcome({ code: 'limit.rate' }))
    const unparsed = { callId: 'u' as CallId, receivedAtMs: 0, peerAddress: '::1', status: 400 }
    await recorder.concludeUnparsed({ ...unparsed, refusal: { code: 'request.malformed' } })
    const texts = log.appended
      .map(({ bytes }) => bytes.toString())
      .concat(openEntries(new Set('a'), 0).map(String))
    expect(texts.length).toBe(6)
    expect(texts).toEqual(texts.map(canonicalJson))
  })

  it('fits whatever a caller sends', async () => {
    const log = memoryLog()
    const worst = '\ud800\u0000"\\語'.repeat(20_000)
    const recorder = recorderOn(log)
    const declared = { task: worst, ticket: worst, rationale: worst, rollbackPlan: worst }
    const resource = { project: worst, repository: worst, channel: worst, account: worst }
    const agent = { id: worst, issuer: worst, binding: 'dpop', key: worst } as const
    const caller = {
      agent,
      principal: {
        id: worst,
        groups: [],
        deviceCompliant: true,
        act: Array.from({ length: 500 }, () => worst),
      },
      tenant: worst,
      tokenId: worst,
    }
    const sealed = syntheticSealed({ declared, resource, caller })
    expect(await recorder.intend(sealed)).toMatchObject({ ok: true })
    const reasons = Array.from(
      { length: 500 },
      () => ({ code: 'agent.unknown', rule: worst, detail: worst }) as const,
    )
    const { arrival, ...rest } = syntheticCall({ declared, resource, caller })
    await recorder.conclude(
      { arrival, ...rest },
      syntheticOutcome({ code: 'policy.denied', reasons, detail: worst }),
    )
    expect(log.appended.length).toBe(2)
    for (const { bytes } of log.appended) expect(bytes.length).toBeLessThan(ENTRY_LIMIT_BYTES)
  })

  it('of open calls never holds more than fits', () => {
    const openCalls = new Set(Array.from({ length: 2_500 }, () => randomBytes(18).toString('hex')))
    const parts = openEntries(openCalls, 0)
    expect(parts.length).toBe(3)
    for (const part of parts) expect(part.length).toBeLessThan(ENTRY_LIMIT_BYTES)
    const calls = parts.flatMap((part) => {
      const entry = decodeEntry(part)
      return entry?.type === 'open' ? entry.calls : []
    })
    expect(new Set(calls)).toEqual(openCalls)
  })
})
