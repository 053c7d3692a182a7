/** One segment of a path template. */
type TemplateSegment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'parameter'; readonly name: string; readonly digits: boolean }

/** A path template taken apart. */
export interface Template {
  readonly segments: readonly TemplateSegment[]
  /** Names in the order of the path. */
  readonly parameters: readonly string[]
  /** For each parameter, whether its value may hold a slash, sent as `%2F`. */
  readonly slashes: readonly boolean[]
  /** The last parameter may hold a slash, so it also takes raw segments to the end of the path. */
  readonly tail: boolean
}

/** One method and path that lead to an operation. */
export interface Route {
  readonly method: string
  readonly path: string
  readonly template: Template
}

const PARAMETER = /^\{([A-Za-z][A-Za-z0-9_-]*)(:digits)?\}$/

/**
 * Parses `/repos/{owner}/{repo}`; `{id:digits}` takes decimal digits only. `slash` names the parameters whose value may
 * hold a slash.
 *
 * @throws RangeError for a template that is not canonical, or a slash parameter it does not have.
 */
export function parseTemplate(path: string, slash: readonly string[]): Template {
  if (!path.startsWith('/')) throw new RangeError(`${path} does not begin with a slash`)
  const segments = path.slice(1).split('/').map(parseSegment)
  const parameters = segments.flatMap((segment) => (segment.kind === 'parameter' ? [segment.name] : []))
  if (new Set(parameters).size !== parameters.length) throw new RangeError(`${path} names a parameter twice`)
  const stray = slash.find((name) => !parameters.includes(name))
  if (stray !== undefined) throw new RangeError(`${path} has no parameter ${stray}`)
  const last = segments.at(-1)
  return {
    segments,
    parameters,
    slashes: parameters.map((name) => slash.includes(name)),
    tail: last?.kind === 'parameter' && slash.includes(last.name),
  }
}

function parseSegment(text: string, index: number, all: readonly string[]): TemplateSegment {
  const match = PARAMETER.exec(text)
  if (match?.[1] !== undefined) return { kind: 'parameter', name: match[1], digits: match[2] !== undefined }
  const literal = /^[A-Za-z0-9._-]+$/.test(text) && text !== '.' && text !== '..'
  if (!literal && !(text === '' && index === all.length - 1)) {
    throw new RangeError(`"${text}" is neither a literal nor one parameter`)
  }
  return { kind: 'literal', text }
}
