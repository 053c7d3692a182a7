import type { Progress } from '../exchange.ts'
import { scrub } from '../lib/scrub.ts'
import { findingFields } from './call-fields.ts'
import type { FactFields } from './entry-fields.ts'

/**
 * An entry has 65,535 bytes for everything, so what is longer than this is left off whole, never cut: half a list of
 * groups would explain another decision than the one that was made.
 */
const MAX_ITEMS = 16
const MAX_CHARACTERS = 128

/** What rules could read of a call beside its resource and what was declared; `undefined` before all of it is known. */
export function factFields(call: Progress): FactFields | undefined {
  const { caller, operation, history, params, findings, dataClassesTask, dataClasses1h, spend, phase } = call
  if (caller === undefined || operation === undefined || history === undefined || params === undefined)
    return undefined
  const { principal, scopes, authorizationDetails } = caller
  const { operationsTask, operations1h } = history
  return {
    authorization_details: authorizationDetails.length,
    calls_1m: history.calls1m,
    data_class: operation.dataClass,
    ...(dataClasses1h && { data_classes_1h: dataClasses1h }),
    ...(dataClassesTask && { data_classes_task: dataClassesTask }),
    denials_10m: history.denials10m,
    device_compliant: principal.deviceCompliant,
    errors_1h: history.errors1h,
    ...(findings && { findings: findingFields(findings) }),
    first_use: history.firstUse,
    ...(fits(principal.groups) && { groups: principal.groups }),
    ...(fits(operations1h) && { operations_1h: operations1h }),
    ...(fits(operationsTask) && { operations_task: operationsTask }),
    ...(phase !== undefined && { phase }),
    reversible: operation.reversible,
    risk: operation.risk,
    ...(fits(scopes) && { scopes }),
    ...(spend && { spend_day: spend.day, spend_task: spend.task }),
    truncated: params.truncated,
    writes_task: history.writesTask,
  }
}

function fits(list: readonly string[]): boolean {
  return list.length <= MAX_ITEMS && list.every((text) => scrub(text, MAX_CHARACTERS) === text)
}
