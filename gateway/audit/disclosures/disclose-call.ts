import type { Declared, Progress } from '../../exchange.ts'
import type { PolicyInput } from '../../policy/input.ts'
import { inputTexts } from '../../policy/input-texts.ts'
import type { DisclosedFields } from '../entry-fields.ts'
import { saltValue } from './salted.ts'

/** Commitments for the entry, and what they commit to for the store. */
export interface Disclosed {
  readonly fields: DisclosedFields
  /** Texts of the disclosures, as `saltValue` makes them. */
  readonly texts: readonly string[]
}

/**
 * Commits to everything that rules could read of a call, in three parts that can be shown one without the others: what
 * the agent declared, the parameters, and the rest. Together they are the exact input that policy was given.
 */
export function discloseCall({ declared }: Progress, input: PolicyInput | undefined): Disclosed {
  const texts: string[] = []
  const commit = (path: string, json: string): string => {
    const { text, commitment } = saltValue(path, json)
    texts.push(text)
    return commitment
  }
  const given = input && inputTexts(input)
  const fields: DisclosedFields = {
    ...(declared && saysSomething(declared)
      ? { declared: commit('input.declared', given?.declared ?? JSON.stringify(declaredInput(declared))) }
      : {}),
    ...(given && { input: commit('input', given.facts), params: commit('input.params', given.params) }),
  }
  return { fields, texts }
}

/** Puts the parts together again; `undefined` when one is missing. What was not declared is not among them. */
export function inputFrom(parts: ReadonlyMap<string, unknown>, isDeclared: boolean): unknown {
  const facts = parts.get('input')
  const params = parts.get('input.params')
  const declared = isDeclared ? parts.get('input.declared') : declaredInput(NOTHING_DECLARED)
  if (typeof facts !== 'object' || facts === null || params === undefined || declared === undefined)
    return undefined
  return { ...facts, declared, params }
}

const NOTHING_DECLARED: Declared = { task: '', rationale: '', ticket: '', rollbackPlan: '' }

/** As policy is given it. */
function declaredInput({ task, rationale, ticket, rollbackPlan }: Declared): PolicyInput['declared'] {
  return { task, rationale, ticket, rollback_plan: rollbackPlan }
}

function saysSomething({ task, rationale, ticket, rollbackPlan }: Declared): boolean {
  return task !== '' || rationale !== '' || ticket !== '' || rollbackPlan !== ''
}
