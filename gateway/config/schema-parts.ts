type Schema = Record<string, unknown>

/** An object that refuses unknown keys and fills in its parts' defaults even when it is left out. */
export function closed(properties: Schema): Schema & { required?: string[] } {
  return { type: 'object', additionalProperties: false, default: {}, properties }
}

/** The same, but absent when left out: for parts that have no meaning by default. */
export function optional(schema: Schema): Schema {
  const { default: _default, ...rest } = schema
  return rest
}

export function text(more: Schema = {}): Schema {
  return { type: 'string', minLength: 1, maxLength: 4_096, ...more }
}

export function integer(minimum: number, maximum: number, fallback?: number): Schema {
  return { type: 'integer', minimum, maximum, ...(fallback === undefined ? {} : { default: fallback }) }
}

export function milliseconds(minimum: number, maximum: number, fallback?: number): Schema {
  return { ...integer(minimum, maximum, fallback), description: 'Milliseconds' }
}

export function oneOf(values: readonly string[], fallback?: string): Schema {
  return { enum: values, ...(fallback === undefined ? {} : { default: fallback }) }
}

export function list(items: Schema, more: Schema = {}): Schema {
  return { type: 'array', items, default: [], ...more }
}

/** A path, made absolute against the configuration's folder; `@` stands for the installed package. */
export function file(description: string, fallback?: string): Schema {
  return text({ description, filePath: true, ...(fallback === undefined ? {} : { default: fallback }) })
}

/** `env:NAME` or `file:/path`: a secret is named here and never written. */
export function secret(description: string): Schema {
  return text({ description, secretReference: true, examples: ['env:TOKEN', 'file:/run/secrets/token'] })
}
