import { runOpa } from './opa.ts'

/** One condition of a rule, as it is written. */
export interface Condition {
  readonly text: string
  readonly row: number
}

/** A rule that gives a member of a set: a deny, a grant, an obligation. */
export interface SetRule {
  readonly file: string
  readonly row: number
  readonly package: string
  /** Name of the set, such as `deny`. */
  readonly set: string
  /** From METADATA; the package and the set where it has none. */
  readonly id: string
  readonly title: string
  /** The reason code of a deny, the type of an obligation; empty where it gives neither. */
  readonly code: string
  readonly conditions: readonly Condition[]
  /** Import lines that the conditions need. */
  readonly imports: readonly string[]
}

/** Sets that are rules of the policy whether or not they carry an id. */
const RULE_SETS: ReadonlySet<string> = new Set(['deny', 'grant', 'obligation'])

interface Located {
  readonly location: { readonly row: number; readonly text: string }
}

interface Term {
  readonly type: string
  readonly value: unknown
}

interface Module {
  readonly package: { readonly path: readonly Term[] }
  readonly imports?: readonly { readonly path: Located; readonly alias?: string }[]
  readonly rules?: readonly {
    readonly annotations?: readonly { readonly title?: string; readonly custom?: { readonly id?: unknown } }[]
    readonly head: {
      readonly name?: string
      readonly ref: readonly Term[]
      readonly key?: Term
      readonly value?: Term
    }
    readonly body: readonly Located[]
    readonly location: Located['location']
  }[]
}

/**
 * Reads the rules of one file with `opa parse`, which alone knows where a condition ends.
 *
 * @param directory the folder that `file` is below
 * @throws Error in the words of `opa`
 */
export async function parseRules(directory: string, file: string): Promise<readonly SetRule[]> {
  const printed = await runOpa(['parse', '--format', 'json', '--json-include', 'locations', file], directory)
  const module = JSON.parse(printed) as Module
  const name = module.package.path.map(({ value }) => String(value)).join('.')
  const imports = (module.imports ?? []).map(
    ({ path, alias }) => `import ${textOf(path)}${alias === undefined ? '' : ` as ${alias}`}`,
  )
  return (module.rules ?? []).flatMap(({ annotations = [], head, body, location }) => {
    const set = String(head.ref[0]?.value)
    const described = annotations.find(({ custom }) => custom?.id !== undefined) ?? annotations[0]
    const id = described?.custom?.id
    if (head.key === undefined || head.value !== undefined || (id === undefined && !RULE_SETS.has(set)))
      return []
    return {
      file,
      row: location.row,
      package: name,
      set,
      id: typeof id === 'string' ? id : `${name.replace(/^data\./, '')}.${set}`,
      title: described?.title ?? '',
      code: member(head.key, 'code') ?? member(head.key, 'type') ?? '',
      conditions: body.map((condition) => ({ text: textOf(condition), row: condition.location.row })),
      imports,
    }
  })
}

function textOf({ location }: Located): string {
  return Buffer.from(location.text, 'base64').toString('utf8')
}

/** A member of an object that is written out as a text. */
function member(term: Term, name: string): string | undefined {
  if (term.type !== 'object' || !Array.isArray(term.value)) return undefined
  for (const [key, value] of term.value as readonly (readonly [Term, Term])[]) {
    if (key.value === name && value.type === 'string') return String(value.value)
  }
  return undefined
}
