// A builtin that the host does not supply throws when a call reaches it, not when the policy is loaded.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bareSdk, compileRules, FRIEND, FRIEND_RULES, runOpa, startPolicy } from '../harness/opa.ts'

const CLOCK_RULES = `${FRIEND_RULES}
allow if {
	input.agent.id == "late"
	time.now_ns() > 0
}
`

async function withEveryBuiltin<T>(use: (path: string) => Promise<T>): Promise<T> {
  const path = join(tmpdir(), `capabilities-${process.pid}.json`)
  await writeFile(path, await runOpa(['capabilities', '--current'], tmpdir()))
  try {
    return await use(path)
  } finally {
    await rm(path)
  }
}

test('the bare SDK loads a policy with a missing builtin, and throws at the first call that needs it', async () => {
  await withEveryBuiltin(async (capabilitiesPath) => {
    const sdk = await bareSdk(await compileRules(CLOCK_RULES, { capabilitiesPath }))
    expect(sdk.evaluate(FRIEND)[0].result.allow).toBe(true)
    expect(() => sdk.evaluate({ ...FRIEND, agent: { id: 'late' } })).toThrow(/not implemented/)
  })
})

test('such a policy is not activated', async () => {
  await withEveryBuiltin(async (capabilitiesPath) => {
    const bundle = await compileRules(CLOCK_RULES, { capabilitiesPath })
    await expect(startPolicy(bundle)).rejects.toMatchObject({ problem: 'builtin' })
  })
})

test.each(['time.now_ns()', 'http.send({})', 'sprintf("%v", [1])', 'rand.intn("a", 2)', 'opa.runtime()'])(
  'with our capabilities such a policy is not even built: %s',
  async (call) => {
    await expect(compileRules(`${FRIEND_RULES}\nallow if ${call} == 1`)).rejects.toThrow(/undefined function/)
  },
)

test('every builtin in our capabilities is native', { timeout: 30_000 }, async () => {
  const path = join(import.meta.dirname, '..', '..', 'policies-rego', 'capabilities.json')
  const { builtins } = JSON.parse(await readFile(path, 'utf8')) as { builtins: readonly Builtin[] }
  // One rule for each, so that the module has to link them all.
  const rules = builtins
    .filter(({ name, infix }) => infix === undefined && !name.startsWith('internal.') && name !== 'walk')
    .map(({ name, decl }) => {
      const args = (decl.args ?? []).map((_, at) => `input.args[${at}]`).join(', ')
      return `allow if type_name(${name}(${args})) == "nothing"`
    })
  await using running = await startPolicy(await compileRules(`${FRIEND_RULES}\n${rules.join('\n')}`))
  expect(running.policy.decide(FRIEND)).toMatchObject({ ok: true, value: { allow: true } })
  expect(rules.length).toBeGreaterThan(60)
})

interface Builtin {
  readonly name: string
  readonly infix?: string
  readonly decl: { readonly args?: readonly unknown[] }
}
