import { type ErrorObject, Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { adminDescription } from '../../gateway/admin/openapi.ts'
import type { ControlAnswer, ControlRequest } from '../../gateway/control/control.ts'

const DESCRIPTION = 'description'
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/
/** Names of methods, as the description has them. */
type Method = 'get' | 'post' | 'delete'

type Described = Readonly<Record<string, unknown>>

let compiled: Ajv2020 | undefined

/** The description with every object closed: what is answered and not described is then a mistake. */
function validators(): Ajv2020 {
  if (compiled !== undefined) return compiled
  compiled = new Ajv2020({ allErrors: true, strict: false, formats: { uuid: UUID, 'date-time': RFC3339 } })
  compiled.addSchema(closed(adminDescription) as object, DESCRIPTION)
  return compiled
}

function closed(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(closed)
  if (typeof node !== 'object' || node === null) return node
  const members = Object.fromEntries(Object.entries(node).map(([name, value]) => [name, closed(value)]))
  // A problem has members of its own kind, and says so.
  const isOpen = 'allOf' in node || ('description' in node && node.description === 'RFC 9457')
  return 'properties' in node && !isOpen ? { ...members, additionalProperties: false } : members
}

/** What the description says of the answers to a request, by status; `undefined` where it knows no such request. */
function responsesTo(
  method: Method,
  path: string,
): readonly [pointer: string, responses: Described] | undefined {
  for (const [template, item] of Object.entries<Described>(adminDescription.paths)) {
    const pattern = new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`)
    const operation = item[method] as { readonly responses: Described } | undefined
    if (operation === undefined || !pattern.test(path)) continue
    const escaped = template.replaceAll('/', '~1').replaceAll('{', '%7B').replaceAll('}', '%7D')
    return [`#/paths/${escaped}/${method}/responses`, operation.responses]
  }
  return undefined
}

/** Throws where an answer is not one that the description of the admin listener has for the request. */
export function expectDescribed(
  { method, path }: Pick<ControlRequest, 'method' | 'path'>,
  answer: ControlAnswer,
): void {
  const name = `${method} ${path}: ${answer.status}`
  const found = responsesTo(method.toLowerCase() as Method, `/admin/v1/${path}`)
  // Not there at all, which is another test's to find.
  if (found === undefined) return
  const [pointer, responses] = found
  if (!(String(answer.status) in responses)) throw new Error(`${name} is not described`)
  const type = answer.status >= 400 ? 'application~1problem+json' : 'application~1json'
  const matches = validators().getSchema(
    `${DESCRIPTION}${pointer}/${answer.status}/content/${type}/schema`,
  ) as ValidateFunction | undefined
  if (matches === undefined) throw new Error(`${name} has no schema`)
  // As it is sent.
  if (!matches(JSON.parse(JSON.stringify(answer.body))))
    throw new Error(`${name} is not as described: ${said(matches.errors)}`)
}

function said(errors: readonly ErrorObject[] | null | undefined): string {
  return (errors ?? [])
    .map(({ instancePath, message, params }) => `${instancePath} ${message ?? ''} ${JSON.stringify(params)}`)
    .join('; ')
}
