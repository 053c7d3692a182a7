import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parse } from 'yaml'
import type { Decision } from '../decision.ts'
import type { PolicyInput } from '../input.ts'

/** One row of a table of cases, with the names in it looked up. */
export interface PolicyCase {
  /** File and place, such as `release.yaml #3`. */
  readonly id: string
  /** Caller, operation and what is different, as one line. */
  readonly title: string
  readonly input: PolicyInput
  readonly expected: Expected
}

export interface Expected {
  readonly effect: 'allow' | 'deny' | 'hold'
  readonly reasons: readonly string[]
  readonly people: number
  readonly risk: number | undefined
}

interface Row {
  readonly caller: string
  readonly operation: string
  readonly with?: object
  readonly effect: Expected['effect']
  readonly reasons?: readonly string[]
  readonly people?: number
  readonly risk?: number
}

/** What a case does not say: an ordinary call in business hours, without anything declared. */
const ORDINARY: PolicyInput = {
  v: 1,
  agent: {
    id: '',
    issuer: 'https://id.zyx.example',
    binding: 'dpop',
    key: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
  },
  principal: { id: '', groups: [], device_compliant: false, act: [] },
  tenant: '',
  scopes: [],
  authorization_details: [],
  operation: {
    id: '',
    connector: '',
    access: 'execute',
    risk: 10,
    data_class: 'restricted',
    reversible: true,
    environment: 'unknown',
  },
  params: { path: {}, query: {}, body: {}, truncated: false, digest: '' },
  resource: { project: '', repository: '', channel: '', account: '', amount: { value: 0, currency: '' } },
  declared: { task: '', rationale: '', ticket: '', rollback_plan: '' },
  signals: { secrets: [], pii: [], injection: [], first_use: false },
  history: { calls_1m: 1, denials_10m: 0, errors_1h: 0, writes_task: 0, spend_day: 0, operations_task: [] },
  approval: { state: 'none', id: '', approvers: [] },
  time: { ns: '1795428000000000000', weekday: 'monday', hour: 10, business_hours: true },
}

/**
 * Reads the tables in `directory`: `callers.yaml` and `operations.yaml` name what the other files combine.
 *
 * @throws Error naming every row that is not well-formed, or names what is not there
 */
export async function readCases(directory: string): Promise<readonly PolicyCase[]> {
  const read = async (name: string): Promise<unknown> => parse(await readFile(join(directory, name), 'utf8'))
  const callers = new Map(Object.entries((await read('callers.yaml')) as Record<string, object>))
  const operations = new Map(Object.entries((await read('operations.yaml')) as Record<string, object>))
  const schema = JSON.parse(await readFile(join(directory, 'case.schema.json'), 'utf8')) as object
  const check = new Ajv2020({ allErrors: true, strictTypes: false }).compile<readonly Row[]>(schema)
  const files = (await readdir(directory)).filter((name) => name.endsWith('.yaml')).sort()
  const cases: PolicyCase[] = []
  for (const file of files) {
    if (file === 'callers.yaml' || file === 'operations.yaml') continue
    const rows = await read(file)
    if (!check(rows))
      throw new Error(`${file} is not a table of cases: ${JSON.stringify(check.errors, null, 2)}`)
    for (const [index, row] of rows.entries()) {
      const caller = callers.get(row.caller)
      const operation = operations.get(row.operation)
      if (caller === undefined || operation === undefined) {
        throw new Error(`${file} #${index + 1} names a caller or an operation that is not there`)
      }
      const { effect, reasons = [], people = 0, risk } = row
      const input = [caller, operation, row.with ?? {}].reduce<object>(merge, ORDINARY) as PolicyInput
      const title = `${row.caller}: ${row.operation}${row.with ? ` with ${JSON.stringify(row.with)}` : ''}`
      cases.push({ id: `${file} #${index + 1}`, title, input, expected: { effect, reasons, people, risk } })
    }
  }
  return cases
}

/** What a decision comes to, in the words of a case. */
export function outcomeOf(decision: Decision): Omit<Expected, 'risk'> & { readonly risk: number } {
  const people = decision.obligations.reduce(
    (most, { type, properties }) => (type === 'approval' ? Math.max(most, properties.count) : most),
    0,
  )
  const allowed = people > 0 ? 'hold' : 'allow'
  const reasons = decision.reasons.map(({ code }) => code).sort()
  return { effect: decision.allow ? allowed : 'deny', reasons, people, risk: decision.risk }
}

function merge(base: object, change: object): object {
  const merged: Record<string, unknown> = { ...base }
  for (const [name, value] of Object.entries(change) as [string, unknown][]) {
    const below = merged[name]
    merged[name] = isObject(below) && isObject(value) ? merge(below, value) : value
  }
  return merged
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
