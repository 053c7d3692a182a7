/** Pieces of the description; shapes are those of OpenAPI 3.1, whose schemas are JSON Schema 2020-12. */
export const secured = [{ operator: [] }, { person: [] }, { certificate: [] }]

export function json(description: string, schema: object = {}) {
  return { description, content: { 'application/json': { schema } } }
}

/** A problem; with `codes`, one of those. */
export function refused(description: string, codes: readonly string[] = []) {
  const problem = { $ref: '#/components/schemas/Problem' }
  const schema =
    codes.length === 0
      ? problem
      : { allOf: [problem], required: ['code'], properties: { code: { enum: codes } } }
  return { description, content: { 'application/problem+json': { schema } } }
}

const retryAfter = { 'Retry-After': { schema: { type: 'integer' }, description: 'Seconds' } } as const

/** What every resource that needs somebody may answer. */
export const denied = {
  401: refused('Nobody in particular asks; `WWW-Authenticate` says how to be somebody'),
  403: refused('Not theirs to ask, or another site made a browser ask'),
  421: refused('Not a name of this listener'),
  503: refused('It cannot be known who asks: the keys of their issuer cannot be had'),
} as const

/** What every request with a body may be answered, beside {@link denied}; `codes` are of those that say nothing. */
export function badBody(codes: readonly string[]) {
  return {
    400: refused(
      `The body does not say what is needed (\`${codes.join('`, `')}\`), or reads in two ways (no \`code\`)`,
    ),
    413: refused('The body is larger than 64 KiB'),
    415: refused('The body is not `application/json`'),
  }
}

/** How a request may end that was asked of a worker; `code` is of what its store does not say. */
export function withoutAnswer(code: string) {
  return {
    500: refused('The gateway failed to answer; its log has why'),
    502: refused('The worker that was asked ended: look whether it was done'),
    503: {
      ...refused(
        `The store (\`${code}\`), every worker, or the issuer of who asks is away; \`detail\` says whether anything was done`,
      ),
      headers: retryAfter,
    },
    504: refused('The worker that was asked did not answer in time: look whether it was done'),
  }
}

/** An object of these members, each of which is there unless it is among the `optional`. */
export function object<Properties extends Readonly<Record<string, object>>>(
  properties: Properties,
  optional: readonly (keyof Properties & string)[] = [],
) {
  const required = Object.keys(properties).filter((name) => !optional.includes(name))
  return { type: 'object', required, properties }
}

export function listOf(items: object) {
  return { type: 'array', items }
}

export const text = { type: 'string' } as const
export const flag = { type: 'boolean' } as const
export const count = { type: 'integer', minimum: 0 } as const
export const uuid = { type: 'string', format: 'uuid' } as const
export const time = { type: 'string', format: 'date-time' } as const
export const digest = { type: 'string', pattern: '^[0-9a-f]{64}$' } as const

/** A body that says nothing but this. */
export function body(required: readonly string[], properties: object, isRequired = true) {
  const schema = { type: 'object', additionalProperties: false, required, properties }
  return { required: isRequired, content: { 'application/json': { schema } } }
}

export function inPath(name: string) {
  return { name, in: 'path', required: true, schema: uuid } as const
}
