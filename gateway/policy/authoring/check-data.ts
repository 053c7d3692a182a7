import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ErrorObject, Ajv2020 } from 'ajv/dist/2020.js'
import { runOpa } from './opa.ts'
import { member, members } from './registry.ts'

/** What describes `data.registry`, beside the rules. */
const SCHEMA = 'schemas/data.json'

/**
 * What is wrong with the data of a policy folder, one line each: members that its schema does not have, values of
 * another type, and modes of rules that there are not. Nothing where the folder has no schema of its data.
 *
 * @throws Error in the words of `opa` when the data cannot be read
 */
export async function checkData(directory: string): Promise<readonly string[] | undefined> {
  const schema = await readFile(join(directory, SCHEMA), 'utf8').catch(() => undefined)
  if (schema === undefined) return undefined
  const printed = await runOpa(['eval', '--data', 'data', '--format', 'raw', 'data.registry'], directory)
  const registry: unknown = JSON.parse(printed.trim() === '' ? '{}' : printed)
  const matches = new Ajv2020({ allErrors: true, strict: false }).compile(JSON.parse(schema) as object)
  const mistakes = matches(registry) ? [] : (matches.errors ?? []).flatMap(mistakeIn)
  return [...new Set([...mistakes, ...(await unknownRules(directory, registry))])].sort()
}

function mistakeIn({ keyword, instancePath, message, params, propertyName }: ErrorObject): readonly string[] {
  // Which name is wrong is told by the error of the name itself.
  if (keyword === 'propertyNames') return []
  const place = ['registry', ...instancePath.split('/').slice(1).map(unescape)].join('.')
  const name: unknown = params['additionalProperty'] ?? propertyName
  const allowed: unknown = params['allowedValues']
  return [
    `data.${place} ${keyword === 'not' ? 'does not take this' : (message ?? keyword)}` +
      (typeof name === 'string' ? `: ${name}` : '') +
      (Array.isArray(allowed) ? `: ${allowed.join(', ')}` : ''),
  ]
}

/** RFC 6901 §4. */
function unescape(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~')
}

/** A mode of a rule that is not there does nothing, which whoever wrote it does not know. */
async function unknownRules(directory: string, registry: unknown): Promise<readonly string[]> {
  const modes = Object.keys(members(member(registry, 'rules')))
  if (modes.length === 0) return []
  const printed = await runOpa(['inspect', '--annotations', '--format', 'json', 'gateway'], directory)
  const { annotations = [] } = JSON.parse(printed) as {
    annotations?: readonly { annotations: { custom?: { id?: unknown } } }[]
  }
  const ids = new Set(annotations.map(({ annotations: { custom } }) => custom?.id))
  return modes
    .filter((id) => !ids.has(id))
    .map((id) => `data.registry.rules names a rule that is not there: ${id}`)
}
