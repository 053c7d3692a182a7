import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { parse } from 'yaml'
import type { Reason } from '../../refusal.ts'
import type { Decision } from '../decision.ts'
import { effectOf } from '../difference.ts'
import type { PolicyInput } from '../input.ts'
import caseSchema from './case.schema.json' with { type: 'json' }
import { inputProblem, isPolicyInput } from './parse-input.ts'

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
  readonly reported: readonly string[]
  readonly people: number
  /** Types of the obligations beside an approval, which `people` tells of. */
  readonly owes: readonly string[]
  readonly risk: number | undefined
}

interface Row {
  readonly caller: string
  readonly operation: string
  readonly with?: object
  readonly effect: Expected['effect']
  readonly reasons?: readonly string[]
  readonly reported?: readonly string[]
  readonly people?: number
  readonly owes?: readonly string[]
  readonly risk?: number
}

const isTable = new Ajv2020({ allErrors: true, strictTypes: false }).compile<readonly Row[]>(caseSchema)

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
    phase: '',
  },
  params: { path: {}, query: {}, body: {}, truncated: false, digest: '' },
  resource: { project: '', repository: '', channel: '', account: '', amount: { value: 0, currency: '' } },
  declared: { task: '', rationale: '', ticket: '', rollback_plan: '' },
  signals: { secrets: [], pii: [], injection: [], first_use: false },
  history: {
    calls_1m: 1,
    denials_10m: 0,
    errors_1h: 0,
    writes_task: 0,
    spend_day: 0,
    spend_task: 0,
    operations_task: [],
    operations_1h: [],
    data_classes_task: [],
    data_classes_1h: [],
  },
  approval: { state: 'none', id: '', approvers: [] },
  time: { ns: '1795428000000000000', date: '2026-11-23', weekday: 'monday', hour: 10, business_hours: true },
}

/**
 * Reads the tables in `directory`: `callers.yaml` and `operations.yaml` name what the other files combine. No
 * folder, no cases.
 *
 * @throws Error naming every row that is not well-formed, or names what is not there
 */
export async function readCases(directory: string): Promise<readonly PolicyCase[]> {
  const files = (await readdir(directory).catch(noneWhereMissing))
    .filter((name) => name.endsWith('.yaml'))
    .sort()
  if (files.length === 0) return []
  const callers = await readNames(join(directory, 'callers.yaml'))
  const operations = await readNames(join(directory, 'operations.yaml'))
  const problems: string[] = []
  const cases: PolicyCase[] = []
  for (const file of files) {
    if (file === 'callers.yaml' || file === 'operations.yaml') continue
    for (const [index, row] of (await readRows(directory, file, problems)).entries()) {
      const id = `${file} #${index + 1}`
      const caller = callers.get(row.caller)
      const operation = operations.get(row.operation)
      if (caller === undefined) problems.push(`${id} names a caller that is not there: ${row.caller}`)
      if (operation === undefined)
        problems.push(`${id} names an operation that is not there: ${row.operation}`)
      const input = [caller ?? {}, operation ?? {}, row.with ?? {}].reduce<object>(merge, ORDINARY)
      const { effect, reasons = [], reported = [], people = 0, owes = [], risk } = row
      const title = `${row.caller}: ${row.operation}${row.with ? ` with ${JSON.stringify(row.with)}` : ''}`
      // Members that the input has not, or of another type, are for `isPolicyInput` to find.
      const expected = {
        effect,
        reasons: reasons.toSorted(),
        reported: reported.toSorted(),
        people,
        owes: owes.toSorted(),
        risk,
      }
      cases.push({ id, title, input: input as PolicyInput, expected })
      if (!isPolicyInput(input)) problems.push(`${id} makes an input that is not one: ${inputProblem(input)}`)
    }
  }
  if (problems.length > 0) throw new Error(`the cases have mistakes:\n${problems.join('\n')}`)
  return cases
}

async function readNames(path: string): Promise<ReadonlyMap<string, object>> {
  return new Map(Object.entries(parse(await readFile(path, 'utf8')) as Record<string, object>))
}

async function readRows(directory: string, file: string, problems: string[]): Promise<readonly Row[]> {
  let rows: unknown
  try {
    rows = parse(await readFile(join(directory, file), 'utf8'))
  } catch (error) {
    problems.push(`${file} is not YAML: ${error instanceof Error ? error.message : String(error)}`)
    return []
  }
  if (isTable(rows)) return rows
  for (const { instancePath, message } of isTable.errors ?? [])
    problems.push(`${file}${instancePath}: ${message ?? 'is not a table of cases'}`)
  return []
}

function noneWhereMissing(error: unknown): readonly string[] {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
  throw error
}

/** What a decision comes to, in the words of a case. */
export function outcomeOf(decision: Decision): Omit<Expected, 'risk'> & { readonly risk: number } {
  const people = decision.obligations.reduce(
    (most, { type, properties }) => (type === 'approval' ? Math.max(most, properties.count) : most),
    0,
  )
  const codes = (given: readonly Reason[]): readonly string[] => given.map(({ code }) => code).sort()
  return {
    effect: effectOf(decision),
    reasons: codes(decision.reasons),
    reported: codes(decision.reported),
    people,
    owes: decision.obligations.flatMap(({ type }) => (type === 'approval' ? [] : [type])).sort(),
    risk: decision.risk,
  }
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
