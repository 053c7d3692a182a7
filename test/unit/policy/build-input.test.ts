import { describe, expect, test } from 'vitest'
import { buildInput } from '../../../gateway/policy/build-input.ts'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { INPUT_V1 } from '../../../gateway/policy/input.ts'
import { aCall } from './call.ts'
import { NO_SIGNALS, TIME } from './allowing-policy.ts'

describe('the input', () => {
  test('is what the schema says, and carries every fact of the call', () => {
    const call = { ...aCall(), dataClassesTask: ['internal'], dataClasses1h: ['public'] } as const
    const input = buildInput(call, { ...NO_SIGNALS, secrets: ['github_token'] }, TIME)
    expect(new Ajv2020({ strictTypes: false }).validate(INPUT_V1.schema, input)).toBe(true)
    expect(input).toMatchObject({
      agent: { id: 'change-review-agent', binding: 'dpop' },
      principal: { id: 'dana@zyx.example', groups: ['devsecops-change-review'], device_compliant: true },
      tenant: 'zyx-bank',
      operation: { id: 'github.pulls/get', access: 'read', data_class: 'internal', environment: 'staging' },
      resource: { repository: 'zyx/platform-infra' },
      declared: { ticket: 'CHG-18422', rollback_plan: 'Close it.' },
      signals: { secrets: ['github_token'], first_use: true },
      history: {
        calls_1m: 2,
        errors_1h: 1,
        operations_1h: ['github.pulls/list'],
        data_classes_task: ['internal'],
        data_classes_1h: ['public'],
      },
      time: TIME,
    })
  })

  test('says of an operation where, and at which step, each call has it', () => {
    const call = aCall()
    const seen = (['staging', 'production', 'staging'] as const).map(
      (environment) => buildInput({ ...call, environment }, NO_SIGNALS, TIME).operation.environment,
    )
    const steps = (['prepare', 'commit'] as const).map(
      (phase) => buildInput({ ...call, phase }, NO_SIGNALS, TIME).operation.phase,
    )
    expect([...seen, ...steps]).toEqual(['staging', 'production', 'staging', 'prepare', 'commit'])
  })

  test('is made anew of a principal that somebody could still change', () => {
    const call = aCall()
    const principal = { ...call.caller.principal }
    const of = () =>
      buildInput({ ...call, caller: { ...call.caller, principal } }, NO_SIGNALS, TIME).principal.id
    of()
    principal.id = 'eve@zyx.example'
    expect(of()).toBe('eve@zyx.example')
  })
})
