import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { checkData } from './check-data.ts'
import { strictMistakes } from './check-strictly.ts'
import { compileBundle } from './compile.ts'
import { evaluatorOf } from './evaluator-of.ts'
import { policyFile } from './policy-file.ts'
import { tryOpa } from './opa.ts'
import { readSources, rootsOf, ruleFolders } from './read-sources.ts'
import { findRegal, hasRegalConfig, lintRules } from './regal.ts'
import { type CaseFailure, testCases } from './test-cases.ts'

/** The five seconds that `opa` gives each test are not enough on a machine that is busy otherwise. */
const TIMEOUT = ['--timeout', '60s']

/** One of the things that a policy has to pass. */
export interface Check {
  readonly name: 'format' | 'style' | 'strict check' | 'data' | 'tests' | 'coverage' | 'cases'
  /** How much was looked at, such as `66 cases`. */
  readonly scope: string
  /** One line each; empty when it passed. */
  readonly failures: readonly string[]
  /** Why it was not made, where the program for it is not there. */
  readonly skipped?: string
  /** Cases that were decided otherwise than they say. */
  readonly cases?: readonly CaseFailure[]
}

/**
 * Puts a policy folder to every test, and goes on after one that fails.
 *
 * @param coverage the least part of the lines of the rules, in percent, that the tests have to reach
 * @throws Error when there is nothing to test, or no `opa`
 */
export async function testPolicy(directory: string, coverage: number): Promise<readonly Check[]> {
  const sources = await readSources(directory)
  const folders = await ruleFolders(directory)
  const paths = [...folders, ...((await isDirectory(join(directory, 'data'))) ? ['data'] : [])]
  const checks = await Promise.all([
    checkFormat(directory, folders),
    checkStyle(directory, folders),
    checkStrictly(directory, paths),
    checkDataOf(directory),
    runTests(directory, paths),
    measureCoverage(directory, paths, coverage),
    decideCases(directory, async () =>
      evaluatorOf(await policyFile(await compileBundle({ sources, roots: rootsOf(sources) }))),
    ),
  ])
  return checks.filter((check) => check !== undefined)
}

async function checkFormat(directory: string, folders: readonly string[]): Promise<Check> {
  const { exitCode, stdout, stderr } = await tryOpa(['fmt', '--list', ...folders], directory)
  const failures =
    exitCode === 0 ? lines(stdout).map((file) => `${file} is not as opa fmt writes it`) : lines(stderr)
  return { name: 'format', scope: scopeOf(folders), failures }
}

function scopeOf(folders: readonly string[]): string {
  return folders.map((folder) => `${folder}/`).join(', ')
}

/** A folder that says how it wants to be linted is linted, where there is Regal; `npm run policy` sees to that. */
async function checkStyle(directory: string, folders: readonly string[]): Promise<Check | undefined> {
  if (!(await hasRegalConfig(directory))) return undefined
  const missing = await findRegal().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
  if (missing !== undefined) return { name: 'style', scope: scopeOf(folders), failures: [], skipped: missing }
  return {
    name: 'style',
    scope: `${scopeOf(folders)}, by Regal`,
    failures: await failuresOf(() => lintRules(directory)),
  }
}

async function checkStrictly(directory: string, paths: readonly string[]): Promise<Check> {
  return { name: 'strict check', scope: paths.join(', '), failures: await strictMistakes(directory, paths) }
}

async function checkDataOf(directory: string): Promise<Check | undefined> {
  let found: readonly string[] | undefined
  const failures = await failuresOf(async () => (found = await checkData(directory)) ?? [])
  return found === undefined && failures.length === 0 ? undefined : { name: 'data', scope: 'data/', failures }
}

/** What cannot be checked has not passed. */
async function failuresOf(check: () => Promise<readonly string[]>): Promise<readonly string[]> {
  return check().catch((error: unknown) => lines(error instanceof Error ? error.message : String(error)))
}

interface RegoTest {
  readonly location: { readonly file: string; readonly row: number }
  readonly name: string
  readonly fail?: boolean
  readonly error?: { readonly message?: string }
}

async function runTests(directory: string, paths: readonly string[]): Promise<Check> {
  const { stdout, stderr } = await tryOpa(['test', ...TIMEOUT, '--format', 'json', ...paths], directory)
  const tests = (parsed(stdout) ?? []) as readonly RegoTest[]
  const failures = tests.flatMap(({ location: { file, row }, name, fail, error }) =>
    fail === true || error !== undefined
      ? [`${file}:${row} ${name}${error?.message ? `: ${error.message}` : ''}`]
      : [],
  )
  return { name: 'tests', scope: `${tests.length} tests`, failures: [...failures, ...lines(stderr)] }
}

interface Coverage {
  readonly coverage?: number
  readonly files?: Readonly<
    Record<string, { readonly not_covered?: readonly { readonly start: { readonly row: number } }[] }>
  >
}

async function measureCoverage(directory: string, paths: readonly string[], least: number): Promise<Check> {
  const { stdout, stderr } = await tryOpa(
    ['test', ...TIMEOUT, '--coverage', '--format', 'json', ...paths],
    directory,
  )
  const report = parsed(stdout) as Coverage | undefined
  const reached = report?.coverage
  if (reached === undefined) {
    const failures = least === 0 ? [] : ['not measured, because the tests fail', ...lines(stderr)]
    return { name: 'coverage', scope: 'not measured', failures }
  }
  const uncovered = Object.entries(report?.files ?? {}).flatMap(([file, { not_covered = [] }]) =>
    [...new Set(not_covered.map(({ start }) => start.row))].map(
      (row) => `${file}:${row} is reached by no test`,
    ),
  )
  // Cut, not rounded: what is just short of everything is not everything.
  const percent = Math.trunc(reached * 10) / 10
  const failures =
    reached < least ? [`${percent} % of the rules are tested, ${least} % are demanded`, ...uncovered] : []
  return { name: 'coverage', scope: `${percent} %`, failures }
}

async function decideCases(directory: string, open: () => ReturnType<typeof evaluatorOf>): Promise<Check> {
  try {
    const policy = await open()
    const { count, failures } = await testCases(join(directory, 'cases'), policy)
    return {
      name: 'cases',
      scope: `${count} cases`,
      failures: failures.map(({ id, title }) => `${id} ${title}`),
      cases: failures,
    }
  } catch (error) {
    return {
      name: 'cases',
      scope: 'none decided',
      failures: lines(error instanceof Error ? error.message : String(error)),
    }
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line.trim() !== '')
}

/** What `opa` prints instead of JSON when it cannot do what it was asked is no result. */
function parsed(stdout: string): unknown {
  try {
    return JSON.parse(stdout)
  } catch {
    return undefined
  }
}
