import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { tryOpa } from './opa.ts'
import { parseRules, type SetRule } from './parse-rules.ts'
import { type PartialResult, readResidue } from './residue.ts'

/** Whether the conditions of a rule hold; `depends` when that turns on what is not known. */
export type Holds =
  { readonly holds: true | false } | { readonly holds: 'depends'; readonly on: readonly string[] }

export interface ProbedRule {
  readonly rule: SetRule
  /** All conditions. */
  readonly whole: Holds
  /** Conditions that stand alone between the rule and firing: with every other one, and without this one, it would. */
  readonly missing: readonly number[]
}

/** A body of conditions to be tried, in a file of its own package. */
interface Probe {
  readonly name: string
  readonly rule: SetRule
  readonly conditions: readonly string[]
}

/**
 * Tries the rules of a policy on one input: each whole, and each without one of its conditions at a time. This is
 * done by partial evaluation of the Rego with the official `opa`, so that members in `unknowns`
 * (`input.principal.groups`) stay open instead of being taken for absent.
 *
 * A condition that binds a name which others use cannot be left out, and is not.
 */
export async function probeRules(
  sources: ReadonlyMap<string, string>,
  input: unknown,
  unknowns: readonly string[],
): Promise<readonly ProbedRule[]> {
  const directory = await mkdtemp(join(tmpdir(), 'toolgate-probe-'))
  try {
    for (const [path, text] of sources) {
      await mkdir(dirname(join(directory, path)), { recursive: true })
      await writeFile(join(directory, path), text)
    }
    const files = [...sources.keys()].filter((path) => path.endsWith('.rego')).sort()
    const rules = (await Promise.all(files.map((file) => parseRules(directory, file)))).flat()
    await writeFile(join(directory, 'input'), JSON.stringify(input))
    const results = await evaluate(directory, rules.flatMap(probesOf), unknowns)
    return rules.map((rule, index) => {
      const holds = (name: string): Holds => results.get(`${index}/${name}`) ?? { holds: false }
      const whole = holds('whole')
      const missing = whole.holds === false ? rule.conditions.map((_, each) => each) : []
      return { rule, whole, missing: missing.filter((each) => holds(String(each)).holds === true) }
    })
  } finally {
    await rm(directory, { recursive: true })
  }
}

function probesOf(rule: SetRule, index: number): readonly Probe[] {
  const texts = rule.conditions.map(({ text }) => text)
  const probes: Probe[] = [{ name: `${index}/whole`, rule, conditions: texts }]
  // The one condition of a rule is all of it: without it everything would be nearly denied.
  if (texts.length < 2) return probes
  for (const each of texts.keys())
    probes.push({ name: `${index}/${each}`, rule, conditions: texts.toSpliced(each, 1) })
  return probes
}

async function evaluate(
  directory: string,
  probes: readonly Probe[],
  unknowns: readonly string[],
): Promise<ReadonlyMap<string, Holds>> {
  const packages = [...new Set(probes.map(({ rule }) => rule.package))]
  const rows = new Map<string, Probe>()
  for (const [index, name] of packages.entries()) {
    const file = `toolgate_probe_${index}.rego`
    const { text, owners } = writeProbes(
      name,
      probes.filter(({ rule }) => rule.package === name),
    )
    for (const [row, probe] of owners) rows.set(`${file}:${row}`, probe)
    await writeFile(join(directory, file), text)
  }
  const hits = packages.map((name) => `hit contains x if ${name}.toolgate_probe[x]\n`)
  await writeFile(join(directory, 'toolgate_probe.rego'), `package toolgate_probe\n\n${hits.join('')}`)
  // Without a name of its own, opa takes the whole input for unknown.
  const open = (unknowns.length === 0 ? ['input.toolgate_probe'] : unknowns).flatMap((path) => [
    '--unknowns',
    path,
  ])
  const flags = ['eval', '--partial', ...open, '--format', 'json', '--input', 'input', '--data', '.']
  const { stdout, stderr } = await tryOpa([...flags, 'data.toolgate_probe.hit[x]'], directory)
  const result = readResult(stdout, stderr)
  if (result.partial !== undefined || result.errors === undefined) return readResidue(result.partial ?? {})
  const unsafe = new Set(
    result.errors.flatMap(({ location }) => rows.get(`${location?.file}:${location?.row}`) ?? []),
  )
  if (unsafe.size === 0 || [...unsafe].some(({ name }) => name.endsWith('/whole')))
    throw new Error(
      `the rules cannot be evaluated: ${result.errors.map(({ message }) => message).join('; ')}`,
    )
  return evaluate(
    directory,
    probes.filter((probe) => !unsafe.has(probe)),
    unknowns,
  )
}

interface EvalResult {
  readonly partial?: PartialResult
  readonly errors?: readonly {
    readonly message: string
    readonly location?: { readonly file: string; readonly row: number }
  }[]
}

function readResult(stdout: string, stderr: string): EvalResult {
  try {
    return JSON.parse(stdout) as EvalResult
  } catch (cause) {
    throw new Error(`opa eval failed: ${stderr}`, { cause })
  }
}

/** A file of probes in the package of their rules, so that every name means what it means there. */
function writeProbes(
  name: string,
  probes: readonly Probe[],
): { readonly text: string; readonly owners: ReadonlyMap<number, Probe> } {
  const lines = [`package ${name.replace(/^data\./, '')}`, '']
  const owners = new Map<number, Probe>()
  const add = (probe: Probe, text: string): void => {
    for (const line of text.split('\n')) {
      lines.push(line)
      owners.set(lines.length, probe)
    }
  }
  lines.push(...new Set(probes.flatMap(({ rule }) => rule.imports)), '')
  for (const probe of probes) {
    add(probe, `toolgate_probe contains ${JSON.stringify(probe.name)} if {`)
    for (const condition of probe.conditions) add(probe, condition)
    add(probe, '}')
  }
  return { text: `${lines.join('\n')}\n`, owners }
}
