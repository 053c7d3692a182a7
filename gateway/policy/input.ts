import { choice, constant, decimal, flag, integer, json, list, object, record, text } from './shape.ts'
import type { TypeOf } from './shape.ts'

const DATA_CLASS = choice('public', 'internal', 'confidential', 'restricted')

/**
 * Version 1 of what rules may read, DESIGN §5. `policies-rego/schemas/input.json` is written from this by
 * `toolgate policy build`, and every rule is checked against that file by `opa check --schema`.
 */
export const INPUT_V1 = object({
  v: constant(1),
  agent: object({ id: text(), issuer: text(), binding: choice('dpop', 'mtls', 'none'), key: text() }),
  principal: object({ id: text(), groups: list(text()), device_compliant: flag(), act: list(text()) }),
  tenant: text(),
  scopes: list(text()),
  authorization_details: list(json()),
  operation: object({
    id: text(),
    connector: text(),
    access: choice('read', 'write', 'execute'),
    risk: integer(0, 10),
    data_class: DATA_CLASS,
    reversible: flag(),
    environment: choice('production', 'staging', 'development', 'unknown'),
    /** Of a change that the vendor makes in steps: leaves a draft, or puts it in force. */
    phase: choice('', 'prepare', 'commit'),
  }),
  params: object({
    path: record(text()),
    query: record(json()),
    body: record(json()),
    truncated: flag(),
    digest: text(),
  }),
  resource: object({
    project: text(),
    repository: text(),
    channel: text(),
    account: text(),
    amount: object({ value: decimal(), currency: text() }),
  }),
  declared: object({ task: text(), rationale: text(), ticket: text(), rollback_plan: text() }),
  signals: object({ secrets: list(text()), pii: list(text()), injection: list(text()), first_use: flag() }),
  history: object({
    calls_1m: integer(0),
    denials_10m: integer(0),
    errors_1h: integer(0),
    writes_task: integer(0),
    spend_day: decimal(),
    spend_task: decimal(),
    operations_task: list(text()),
    operations_1h: list(text()),
    data_classes_task: list(DATA_CLASS),
    data_classes_1h: list(DATA_CLASS),
  }),
  approval: object({ state: choice('none', 'approved'), id: text(), approvers: list(text()) }),
  time: object({
    /** Nanoseconds since the epoch, as a string because a double cannot hold them. */
    ns: text(),
    /** `YYYY-MM-DD`, as weekday and hour in the time zone of the configuration. */
    date: text(),
    weekday: choice('monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'),
    hour: integer(0, 23),
    business_hours: flag(),
  }),
})

export type PolicyInput = TypeOf<typeof INPUT_V1>
export type Weekday = PolicyInput['time']['weekday']
export type Signals = PolicyInput['signals']
