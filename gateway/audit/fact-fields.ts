import type { Progress } from '../exchange.ts'
import { scrub } from '../lib/scrub.ts'
import type { FactFields } from './entry.ts'

/**
 * An entry has 65,535 bytes for everything, so what is longer than this is left off whole, never cut: half a list of
 * groups would explain another decision than the one that was made.
 */
const MAX_ITEMS = 16
const MAX_CHARACTERS = 128

/** What rules could read of a call beside its resource and what was declared; `undefined` before all of it is known. */
export function factFields(call: Progress): FactFields | undefined {
  const { caller, operation, history, params, dataClassesTask } = call
  if (caller === undefined || operation === undefined || history === undefined || params === undefined)
    return undefined
  const { principal, scopes, authorizationDetails } = caller
  const { operationsTask, operations1h } = history
  return {
    ...(fits(principal.groups) && { groups: principal.groups }),
    device_compliant: principal.deviceCompliant,
    ...(fits(scopes) && { scopes }),
    authorization_details: authorizationDetails.length,
    risk: operation.risk,
    data_class: operation.dataClass,
    reversible: operation.reversible,
    truncated: params.truncated,
    calls_1m: history.calls1m,
    denials_10m: history.denials10m,
    errors_1h: history.errors1h,
    writes_task: history.writesTask,
    first_use: history.firstUse,
    ...(fits(operationsTask) && { operations_task: operationsTask }),
    ...(fits(operations1h) && { operations_1h: operations1h }),
    ...(dataClassesTask && { data_classes_task: dataClassesTask }),
  }
}

function fits(list: readonly string[]): boolean {
  return list.length <= MAX_ITEMS && list.every((text) => scrub(text, MAX_CHARACTERS) === text)
}
