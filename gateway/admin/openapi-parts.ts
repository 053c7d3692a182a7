/** Pieces of the description; shapes are those of OpenAPI 3.1. */
export const secured = [{ operator: [] }, { person: [] }, { certificate: [] }]

export function json(description: string, schema: object = {}) {
  return { description, content: { 'application/json': schema } }
}

export function refused(description: string) {
  return {
    description,
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  }
}

/** What every resource that needs somebody may answer. */
export const denied = {
  401: refused('Nobody in particular asks; `WWW-Authenticate` says how to be somebody'),
  403: refused('Not theirs to ask, or another site made a browser ask'),
} as const

/** What every request with a body may be answered, beside {@link denied}. */
export const badBody = {
  400: refused('The body does not say what is needed, or reads in two ways'),
  413: refused('The body is larger than 64 KiB'),
  415: refused('The body is not `application/json`'),
} as const

export const withoutAnswer = {
  503: refused('The store, or every worker, cannot be asked; `detail` says whether anything was done'),
} as const

export function body(required: readonly string[], properties: object, isRequired = true) {
  const schema = { type: 'object', additionalProperties: false, required, properties }
  return { required: isRequired, content: { 'application/json': { schema } } }
}

export function inPath(name: string) {
  return { name, in: 'path', required: true, schema: { type: 'string', format: 'uuid' } } as const
}
