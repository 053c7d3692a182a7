import type {
  DeclaredFields,
  FactFields,
  ResourceFields,
  WhatFields,
  WhoFields,
  UsedApprovalFields,
} from '../../audit/entry-fields.ts'
import type { Environment } from '../../catalog/connector.ts'
import type { PolicyTime } from '../calendar.ts'
import { NOBODY } from '../evaluation/self-test.ts'
import type { PolicyInput } from '../input.ts'
import type { ReadToken } from './known-tokens.ts'

/** What an entry tells of the input; `facts` and `time` may be missing whole. */
interface RecordedFields {
  readonly who: WhoFields
  readonly what: WhatFields
  readonly resource: ResourceFields
  readonly declared: DeclaredFields
  readonly environment: Environment
  readonly facts: FactFields | undefined
  /** What people had said yes to; absent where nobody did. */
  readonly approval?: UsedApprovalFields | undefined
  readonly time: PolicyTime | undefined
}

type RecordedList = 'operations_task' | 'operations_1h' | 'data_classes_task' | 'data_classes_1h'

/** No record has these, unless the whole input was disclosed. */
const NEVER_RECORDED = ['input.params.path', 'input.params.query', 'input.params.body', 'input.params.digest']

/** Puts an input together again from an entry, and notes which parts of it are not on record as they were. */
export class RecordedInput {
  readonly #fields: RecordedFields
  readonly #readToken: ReadToken
  readonly #unknown = new Set(NEVER_RECORDED)

  constructor(fields: RecordedFields, readToken: ReadToken) {
    this.#fields = fields
    this.#readToken = readToken
  }

  /** Paths, sorted; complete once `input` was called. */
  unknown(): readonly string[] {
    return [...this.#unknown].sort()
  }

  input(): PolicyInput {
    const { who, what, resource, declared, environment, facts, time } = this.#fields
    return {
      v: 1,
      agent: {
        id: this.#text('agent.id', who.agent),
        issuer: who.issuer,
        binding: who.binding,
        key: who.key,
      },
      principal: this.#principal(),
      tenant: this.#text('tenant', who.tenant),
      scopes: this.#known('scopes', facts?.scopes ?? [], facts?.scopes !== undefined),
      authorization_details: this.#known('authorization_details', [], facts?.authorization_details === 0),
      operation: {
        id: what.operation,
        connector: what.connector,
        access: what.access,
        risk: this.#fact('operation.risk', facts?.risk ?? 0),
        data_class: this.#fact('operation.data_class', facts?.data_class ?? 'restricted'),
        reversible: this.#fact('operation.reversible', facts?.reversible ?? false),
        environment,
        phase: this.#known('operation.phase', facts?.phase ?? '', facts?.phase !== undefined),
      },
      params: { ...NOBODY.params, truncated: this.#fact('params.truncated', facts?.truncated ?? false) },
      resource: {
        project: this.#text('resource.project', resource.project),
        repository: this.#text('resource.repository', resource.repository),
        channel: this.#text('resource.channel', resource.channel),
        account: this.#text('resource.account', resource.account),
        amount: { value: resource.amount, currency: resource.currency },
      },
      declared: {
        task: this.#text('declared.task', declared.task),
        rationale: this.#text('declared.rationale', declared.rationale),
        ticket: this.#text('declared.ticket', declared.ticket),
        rollback_plan: this.#text('declared.rollback_plan', declared.rollback_plan),
      },
      signals: this.#signals(),
      history: this.#history(),
      approval: this.#approval(),
      time: this.#known('time', time ?? NOBODY.time, time !== undefined),
    }
  }

  #principal(): PolicyInput['principal'] {
    const { who, facts } = this.#fields
    return {
      id: this.#text('principal.id', who.principal),
      groups: this.#known('principal.groups', facts?.groups ?? [], facts?.groups !== undefined),
      device_compliant: this.#fact('principal.device_compliant', facts?.device_compliant ?? false),
      act: this.#known('principal.act', who.act, who.act.length < 16),
    }
  }

  #approval(): PolicyInput['approval'] {
    const { approval } = this.#fields
    if (approval === undefined) return NOBODY.approval
    const { id, approvers } = approval
    return {
      state: 'approved',
      id,
      approvers: this.#known('approval.approvers', approvers, approvers.length < 16),
    }
  }

  #signals(): PolicyInput['signals'] {
    const { facts } = this.#fields
    const { secrets = [], pii = [], injection = [] } = facts?.findings ?? {}
    const isKnown = facts?.findings !== undefined
    return {
      secrets: this.#known('signals.secrets', secrets, isKnown),
      pii: this.#known('signals.pii', pii, isKnown),
      injection: this.#known('signals.injection', injection, isKnown),
      first_use: this.#fact('signals.first_use', facts?.first_use ?? false),
    }
  }

  #history(): PolicyInput['history'] {
    const { facts } = this.#fields
    const { calls_1m = 0, denials_10m = 0, errors_1h = 0, writes_task = 0 } = facts ?? {}
    const history = {
      calls_1m,
      denials_10m,
      errors_1h,
      writes_task,
      spend_day: this.#known('history.spend_day', facts?.spend_day ?? 0, facts?.spend_day !== undefined),
      spend_task: this.#known('history.spend_task', facts?.spend_task ?? 0, facts?.spend_task !== undefined),
      operations_task: this.#list('operations_task'),
      operations_1h: this.#list('operations_1h'),
      data_classes_task: this.#list('data_classes_task'),
      data_classes_1h: this.#list('data_classes_1h'),
    }
    return this.#fact('history', history)
  }

  #list<Name extends RecordedList>(name: Name): NonNullable<FactFields[Name]> | readonly [] {
    const list = this.#fields.facts?.[name]
    return this.#known(`history.${name}`, list ?? [], list !== undefined)
  }

  /** Known wherever the entry has facts at all. */
  #fact<T>(path: string, value: T): T {
    return this.#known(path, value, this.#fields.facts !== undefined)
  }

  #text(path: string, stored: string | undefined): string {
    const value = this.#readToken(stored ?? '')
    return this.#known(path, value, stored !== undefined && !isTokenOrCut(value))
  }

  #known<T>(path: string, value: T, isKnown: boolean): T {
    if (!isKnown) this.#unknown.add(`input.${path}`)
    return value
  }
}

/** A keyed token, a commitment, or a text that was shortened or rid of a secret stands for something else. */
function isTokenOrCut(value: string): boolean {
  return (
    value.startsWith('hmac:') ||
    value.endsWith('…') ||
    value.includes('[removed]') ||
    value.includes('\ufffd')
  )
}
