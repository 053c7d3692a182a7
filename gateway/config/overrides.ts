import type { ConfigProblem } from './problem.ts'

const PREFIX = 'TOOLGATE__'

/**
 * Lays `TOOLGATE__SECTION__KEY=value` over a parsed document, in place. A segment matches an existing or known
 * key whatever its case and underscores (`EXTERNAL_ORIGINS` is `externalOrigins`); values are YAML scalars or flow.
 */
export function applyOverrides(
  document: Record<string, unknown>,
  environment: Readonly<Record<string, string | undefined>>,
  schema: object,
  parseValue: (text: string) => unknown,
): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith(PREFIX) || text === undefined) continue
    const problem = lay(document, variable, text, schema, parseValue)
    if (problem !== undefined) problems.push(problem)
  }
  return problems
}

function lay(
  document: Record<string, unknown>,
  variable: string,
  text: string,
  schema: unknown,
  parseValue: (text: string) => unknown,
): ConfigProblem | undefined {
  const segments = variable.slice(PREFIX.length).split('__')
  let holder: Record<string, unknown> = document
  let part: unknown = schema
  for (const [depth, segment] of segments.entries()) {
    const key = keyFor(segment, holder, part)
    if (key === undefined) return { path: variable, reason: `no setting is called ${segment}` }
    part = schemaAt(part, key)
    if (depth === segments.length - 1) {
      holder[key] = typeAt(part) === 'string' ? text : parseValue(text)
      return undefined
    }
    const next = (holder[key] ??= {})
    if (!isRecord(next)) return { path: variable, reason: `${key} holds no settings` }
    holder = next
  }
  return { path: variable, reason: 'names no setting' }
}

function keyFor(segment: string, holder: Record<string, unknown>, schema: unknown): string | undefined {
  const wanted = plain(segment)
  const known = [...Object.keys(holder), ...Object.keys(propertiesOf(schema))]
  const match = known.find((key) => plain(key) === wanted)
  if (match !== undefined) return match
  const open = isRecord(schema) && isRecord(schema['additionalProperties'])
  return open ? segment.toLowerCase().replaceAll('_', '-') : undefined
}

function plain(name: string): string {
  return name.replaceAll(/[_-]/g, '').toLowerCase()
}

function propertiesOf(schema: unknown): Record<string, unknown> {
  return isRecord(schema) && isRecord(schema['properties']) ? schema['properties'] : {}
}

function schemaAt(schema: unknown, key: string): unknown {
  const properties = propertiesOf(schema)
  if (Object.hasOwn(properties, key)) return properties[key]
  return isRecord(schema) ? schema['additionalProperties'] : undefined
}

function typeAt(schema: unknown): unknown {
  if (!isRecord(schema)) return undefined
  const values = schema['enum']
  return Array.isArray(values) && values.every((value) => typeof value === 'string')
    ? 'string'
    : schema['type']
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
