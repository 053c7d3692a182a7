import { Ajv2020 } from 'ajv/dist/2020.js'
import { INPUT_V1, type PolicyInput } from '../input.ts'

const matches = new Ajv2020({ strictTypes: false }).compile<PolicyInput>(INPUT_V1.schema)

/** Whether somebody's JSON is version 1 of the input, every member there and no other. */
export function isPolicyInput(untrusted: unknown): untrusted is PolicyInput {
  return matches(untrusted)
}

/** What is wrong with an input that is none. */
export function inputProblem(untrusted: unknown): string {
  if (matches(untrusted)) return 'nothing'
  const [first] = matches.errors ?? []
  if (first === undefined) return 'is not known'
  const place = first.instancePath === '' ? 'it' : first.instancePath.slice(1).replaceAll('/', '.')
  const member: unknown = first.params['additionalProperty']
  return `${place} ${first.message ?? first.keyword}${typeof member === 'string' ? ` (${member})` : ''}`
}
