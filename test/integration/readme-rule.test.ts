import { appendFile, cp, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readCases } from '../../gateway/policy/authoring/cases.ts'
import { REPOSITORY } from '../harness/compose-file.ts'
import { decideNow, runOpa, startPolicy } from '../harness/opa.ts'
import { readmeBlocks } from '../harness/readme.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'
import { runProcess } from '../harness/toolgate-process.ts'

const PACK = 'gateway/change_control.rego'

it(
  'the rule of the README compiles where it says, and denies what it says',
  { timeout: 120_000 },
  async () => {
    await using folder = await temporaryDirectory()
    const policies = join(folder.path, 'policies-rego')
    await cp(join(REPOSITORY, 'policies-rego'), policies, { recursive: true })
    for (const name of ['gateway', 'node_modules', 'package.json'])
      await symlink(join(REPOSITORY, name), join(folder.path, name))
    await using check = runProcess(['npx', 'toolgate', 'policy', 'test'], { cwd: folder.path })
    expect([await check.ended, check.output()]).toEqual([0, expect.stringMatching(/ok +cases/)])
    const [rule = ''] = await readmeBlocks('rego')
    await appendFile(join(policies, PACK), `\n${rule}`)

    expect(await runOpa(['fmt', '--list', 'gateway'], policies)).toBe('')
    const strict = ['--strict', '--schema', 'schemas', '--capabilities', 'capabilities.json']
    expect(await runOpa(['check', ...strict, 'gateway', 'data'], policies)).toBe('')
    await using build = runProcess(['npx', 'toolgate', 'policy', 'build'], { cwd: folder.path })
    expect([await build.ended, build.output()]).toEqual([0, expect.stringContaining('bundle.tar.gz')])

    await using running = await startPolicy(await readFile(join(policies, 'bundle.tar.gz')))
    const cases = await readCases(join(policies, 'cases'))
    const write = cases.find(
      ({ input, expected }) => input.operation.access === 'write' && expected.effect === 'allow',
    )
    if (write === undefined) throw new Error('no case of an allowed change')
    const reasonsOn = (weekday: 'thursday' | 'friday'): unknown[] => {
      const verdict = decideNow(running.policy, {
        ...write.input,
        time: { ...write.input.time, weekday },
      })
      return verdict.ok ? verdict.value.reasons.map(({ rule: id }) => id) : [verdict.refusal.code]
    }
    expect([reasonsOn('thursday'), reasonsOn('friday')]).toEqual([[], ['R046']])
  },
)
