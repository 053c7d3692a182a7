/** Part of JSON Schema (2020-12) that the policy input needs; `opa check -s` reads the same. */
type JsonSchema = { readonly [keyword: string]: unknown }

/** A JSON Schema that knows the TypeScript type of what it describes, so that the two cannot drift apart. */
export interface Shape<T> {
  readonly schema: JsonSchema
  /** Carries the type only; never present. */
  readonly type?: T
}

export type TypeOf<S> = S extends Shape<infer T> ? T : never

type Fields = Readonly<Record<string, Shape<unknown>>>
type ObjectOf<F extends Fields> = { readonly [Name in keyof F]: TypeOf<F[Name]> }

export function text(): Shape<string> {
  return { schema: { type: 'string' } }
}

export function choice<const Choices extends readonly string[]>(...choices: Choices): Shape<Choices[number]> {
  return { schema: { type: 'string', enum: choices } }
}

export function flag(): Shape<boolean> {
  return { schema: { type: 'boolean' } }
}

export function constant<const Value extends number>(value: Value): Shape<Value> {
  return { schema: { type: 'integer', const: value } }
}

export function integer(minimum: number, maximum?: number): Shape<number> {
  return { schema: { type: 'integer', minimum, ...(maximum === undefined ? {} : { maximum }) } }
}

export function decimal(): Shape<number> {
  return { schema: { type: 'number' } }
}

export function list<T>(items: Shape<T>): Shape<readonly T[]> {
  return { schema: { type: 'array', items: items.schema } }
}

export function record<T>(values: Shape<T>): Shape<Readonly<Record<string, T>>> {
  return { schema: { type: 'object', additionalProperties: values.schema } }
}

/** Any JSON; what sits here has to be bounded before it is evaluated. */
export function json(): Shape<unknown> {
  return { schema: {} }
}

/** Every field required, no other allowed. */
export function object<const F extends Fields>(fields: F): Shape<ObjectOf<F>> {
  return {
    schema: {
      type: 'object',
      properties: Object.fromEntries(Object.entries(fields).map(([name, { schema }]) => [name, schema])),
      required: Object.keys(fields),
      additionalProperties: false,
    },
  }
}
