import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { CaseFailure } from '../../policy/authoring/test-cases.ts'
import { type Check, testPolicy } from '../../policy/authoring/test-policy.ts'
import { type Command, UsageError } from '../command.ts'
import { type Paint, paintFor } from './colours.ts'

const USAGE = `toolgate policy test [--directory FOLDER] [--coverage N] [--json]

Puts a policy folder to all its tests and lists everything that fails:

  format         opa fmt
  style          regal lint, where the folder has a .regal/config.yaml; skipped where there is no Regal
  strict check   opa check --strict with the schemas and the gateway's builtins
  data           data/ against schemas/data.json, where there is one
  tests          opa test
  coverage       the part of the rules that these tests reach
  cases          cases/*.yaml, decided on the compiled bundle by the code that decides calls

  --directory FOLDER  gateway/*.rego with *_test.rego, data/, schemas/, cases/ (policies-rego)
  --coverage N        least part of the rules that opa test has to reach, in percent (90)

Exit codes: 0 all passed · 1 something failed · 2 wrong usage
`

export const test: Command = {
  summary: 'put a policy folder to all its tests',
  usage: USAGE,
  async run(args, surroundings) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        directory: { type: 'string', default: 'policies-rego' },
        coverage: { type: 'string', default: '90' },
        json: { type: 'boolean', default: false },
      },
    })
    const coverage = Number(values.coverage)
    if (values.coverage.trim() === '' || !(coverage >= 0 && coverage <= 100))
      throw new UsageError(`--coverage is a percentage, not ${values.coverage}`)
    const checks = await testPolicy(resolve(values.directory), coverage)
    const ok = checks.every(({ failures }) => failures.length === 0)
    if (values.json) surroundings.print(`${JSON.stringify({ ok, checks }, undefined, 2)}\n`)
    else surroundings.print(checks.map((check) => describe(check, paintFor(surroundings))).join(''))
    return ok ? 0 : 1
  },
}

function describe({ name, scope, failures, skipped, cases = [] }: Check, paint: Paint): string {
  if (skipped !== undefined) {
    const reason = skipped.replaceAll(/^/gm, '          ')
    return `${paint('yellow', 'skipped')} ${name.padEnd(12)}  ${paint('dim', scope)}\n${reason}\n`
  }
  const mark = failures.length === 0 ? paint('green', 'ok    ') : paint('red', 'failed')
  const head = `${mark}  ${name.padEnd(12)}  ${paint('dim', scope)}\n`
  if (cases.length > 0) return head + cases.map((failure) => describeCase(failure, paint)).join('')
  return head + failures.map((line) => `          ${line}\n`).join('')
}

/** Expected and got, one under the other, member by member. */
function describeCase({ id, title, differences }: CaseFailure, paint: Paint): string {
  const rows = differences.map(
    ({ member, expected, got }) =>
      `            ${member.padEnd(8)} ${paint('green', `- expected ${shown(expected)}`)}\n` +
      `                     ${paint('red', `+ got      ${shown(got)}`)}\n`,
  )
  return `          ${paint('bold', id)} ${title}\n${rows.join('')}`
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(', ')
  return String(value)
}
