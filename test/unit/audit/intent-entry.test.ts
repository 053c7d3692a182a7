import { describe, expect, it } from 'vitest'
import { syntheticSealed } from '../../harness/synthetic-call.ts'
import { entries, memoryLog, recorderOn } from './memory-log.ts'

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
