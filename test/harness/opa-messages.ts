/**
 * The fields of OPA's messages with their types, from its documentation (management-decision-logs, management-status)
 * and, where that leaves something out, from what `opa run --server` posts, which tests hold against this as well.
 */
type Check = (value: unknown) => boolean

interface Field {
  readonly check: Check
  readonly optional?: true
}

type Fields = Readonly<Record<string, Field>>

const isText: Check = (value) => typeof value === 'string'
const isNumber: Check = (value) => typeof value === 'number'
const isCount: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0
const isAnything: Check = () => true
const isTime: Check = (value) =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(value)
const isHex =
  (digits: number): Check =>
  (value) =>
    typeof value === 'string' && new RegExp(`^[0-9a-f]{${digits}}$`).test(value)
const isUuid: Check = (value) =>
  typeof value === 'string' &&
  /^[0-9a-f]{8}-[0-9a-f]{4}-[47][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(value)
const isList =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.length > 0 && value.every(check)
const isMap =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check)
const isPointer: Check = (value) =>
  typeof value === 'string' && /^\/(input|result|nd_builtin_cache)(\/|$)/.test(value)
const hasFields =
  (fields: Fields): Check =>
  (value) =>
    fieldProblems('', value, fields).length === 0

const must = (check: Check): Field => ({ check })
const may = (check: Check): Field => ({ check, optional: true })

const LABELS: Check = (value) =>
  isMap(isText)(value) && isObject(value) && isUuid(value['id']) && isText(value['version'])

const EVENT: Fields = {
  labels: must(LABELS),
  decision_id: must(isUuid),
  trace_id: may(isHex(32)),
  span_id: may(isHex(16)),
  bundles: may(isMap(hasFields({ revision: may(isText) }))),
  path: may((value) => isText(value) && value !== ''),
  query: may(isText),
  input: may(isAnything),
  result: may(isAnything),
  requested_by: must(isText),
  request_context: may(hasFields({ http: must(hasFields({ headers: must(isMap(isList(isText))) })) })),
  timestamp: must(isTime),
  metrics: must((value) => isMap(isCount)(value) && isObject(value) && 'timer_server_handler_ns' in value),
  erased: may(isList(isPointer)),
  masked: may(isList(isPointer)),
  nd_builtin_cache: may(isMap(isMap(isAnything))),
  error: may(hasFields({ code: must(isText), message: must(isText), location: may(isObject) })),
  req_id: may((value) => isCount(value) && value !== 0),
  ids: may(isList(isText)),
  rule_labels: may(isList(isObject)),
  custom: may(isMap(isObject)),
}

const FAILURE: Fields = { code: may(isText), message: may(isText), http_code: may(isNumber) }

const BUNDLE: Fields = {
  name: must(isText),
  active_revision: may(isText),
  last_request: must(isTime),
  last_successful_request: must(isTime),
  last_successful_download: must(isTime),
  last_successful_activation: must(isTime),
  type: may((value) => value === 'snapshot' || value === 'delta'),
  size: may(isCount),
  metrics: may(isMap(isCount)),
  errors: may(isList(isObject)),
  ...FAILURE,
}

const STATES = ['OK', 'NOT_READY', 'WARN', 'ERROR']
const PLUGIN: Fields = {
  state: must((value) => STATES.some((state) => state === value)),
  message: may(isText),
}

const LABEL_PAIR: Fields = { name: must(isText), value: must(isText) }
const is64Bit: Check = (value) => typeof value === 'string' && /^\d+$/.test(value)
const METRIC: Fields = {
  label: may(isList(hasFields(LABEL_PAIR))),
  counter: may(hasFields({ value: must(isNumber), createdTimestamp: may(isTime) })),
  gauge: may(hasFields({ value: must(isNumber) })),
  untyped: may(hasFields({ value: must(isNumber) })),
  summary: may(isObject),
  histogram: may(
    hasFields({
      sampleCount: must(is64Bit),
      sampleSum: must(isNumber),
      createdTimestamp: may(isTime),
      bucket: must(isList(hasFields({ cumulativeCount: must(is64Bit), upperBound: must(isNumber) }))),
    }),
  ),
}
const FAMILY: Fields = {
  name: must(isText),
  help: must(isText),
  unit: may(isText),
  type: must((value) => ['COUNTER', 'GAUGE', 'HISTOGRAM', 'SUMMARY', 'UNTYPED'].includes(String(value))),
  metric: must(isList(hasFields(METRIC))),
}

/** OPA puts counters of its own, as numbers, beside those of Prometheus. */
const isMetric: Check = (value) => isCount(value) || hasFields(FAMILY)(value)

const STATUS: Fields = {
  labels: must(LABELS),
  bundles: may(isMap(hasFields(BUNDLE))),
  discovery: may(isObject),
  decision_logs: may(hasFields({ ...FAILURE, metrics: may(isMap(isAnything)) })),
  plugins: may(isMap(hasFields(PLUGIN))),
  metrics: may(hasFields({ prometheus: must(isMap(isMetric)) })),
}

/** What is wrong with an event of the decision log; empty when nothing is. */
export function eventProblems(event: unknown): readonly string[] {
  return fieldProblems('event', event, EVENT)
}

export function statusProblems(status: unknown): readonly string[] {
  const problems = fieldProblems('status', status, STATUS)
  if (problems.length > 0 || !isObject(status)) return problems
  return Object.entries((status['bundles'] ?? {}) as Record<string, { name: string }>).flatMap(
    ([key, { name }]) => (key === name ? [] : [`status.bundles.${key} is named ${name}`]),
  )
}

function fieldProblems(name: string, value: unknown, fields: Fields): readonly string[] {
  if (!isObject(value)) return [`${name} is no object`]
  const missing = Object.entries(fields).filter(
    ([field, { optional }]) => optional !== true && !(field in value),
  )
  return [
    ...missing.map(([field]) => `${name} has no ${field}`),
    ...Object.entries(value).flatMap(([field, held]) => {
      const known = fields[field]
      if (known === undefined) return [`${name} has an unknown ${field}`]
      return known.check(held) ? [] : [`${name}.${field} is ${JSON.stringify(held).slice(0, 200)}`]
    }),
  ]
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
