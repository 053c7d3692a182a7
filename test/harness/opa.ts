import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../gateway/lib/clock.ts'
import { openBundle } from '../../gateway/policy/bundles/bundle.ts'
import type { PolicyInput } from '../../gateway/policy/input.ts'
import { loadPolicySync } from './opa-sdk.ts'
import type { LoadedPolicy } from './opa-sdk.ts'
import { createPolicy } from '../../gateway/policy/policy.ts'
import type { Policy, PolicyEvent, PolicyOptions } from '../../gateway/policy/policy.ts'
import type { Reason, Verdict } from '../../gateway/refusal.ts'
import type { Decision } from '../../gateway/policy/decision.ts'
import { NOBODY } from '../../gateway/policy/evaluation/self-test.ts'
import { compileBundle } from '../../gateway/policy/authoring/compile.ts'
import type { CompileOptions } from '../../gateway/policy/authoring/compile.ts'

export { runOpa } from '../../gateway/policy/authoring/opa.ts'

interface BundleFile extends AsyncDisposable {
  readonly path: string
  readonly directory: string
  write(bundle: Buffer): Promise<void>
}

/** A bundle in a file of its own, in a folder of its own. */
async function bundleFile(bundle: Buffer): Promise<BundleFile> {
  const directory = await mkdtemp(join(tmpdir(), 'toolgate-bundle-'))
  const path = join(directory, 'bundle.tar.gz')
  await writeFile(path, bundle)
  return {
    path,
    directory,
    write: (next) => writeFile(path, next),
    async [Symbol.asyncDispose]() {
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/**
 * Compiles one module of package `gateway.decision` with the real `opa`. `rules` is the body of the module;
 * the decision document around it is given, so that a test says only what is special.
 */
export async function compileRules(
  rules: string,
  more: { readonly data?: unknown } & Partial<
    Pick<CompileOptions, 'roots' | 'revision' | 'capabilitiesPath'>
  > = {},
): Promise<Buffer> {
  const { data, roots = ['gateway', 'registry'], ...options } = more
  const sources = new Map([['gateway/decision.rego', `package gateway.decision\n\n${rules}\n`]])
  if (data !== undefined) sources.set('registry/data.json', JSON.stringify(data))
  return compileBundle({ sources, roots, ...options })
}

/** A decision that allows agent `friend` and denies everybody else. */
export const FRIEND_RULES = `
decision := {"allow": allow, "risk": 0, "reasons": reasons, "obligations": []}
default allow := false
allow if input.agent.id == "friend"
reasons contains {"code": "agent.unknown", "rule": "R001", "detail": ""} if not allow
`

/** A call by agent `friend`. */
export const FRIEND: PolicyInput = { ...NOBODY, agent: { ...NOBODY.agent, id: 'friend' } }

/** The same call with this JSON in its body. */
export function friendWithBody(body: Readonly<Record<string, unknown>>): PolicyInput {
  return { ...FRIEND, params: { ...FRIEND.params, body } }
}

export interface RunningPolicy extends AsyncDisposable {
  readonly policy: Policy
  readonly file: BundleFile
  readonly events: readonly PolicyEvent[]
}

/** The verdict of a policy without isolation, which has it at once. */
export function decideNow(policy: Pick<Policy, 'decide'>, input: PolicyInput): Verdict<Decision> {
  const verdict = policy.decide(input)
  if (verdict instanceof Promise) throw new TypeError('this policy is evaluated in another thread')
  return verdict
}

/** Whether a policy without isolation allows the call of `FRIEND`. */
export function allows(policy: Pick<Policy, 'decide'>): boolean {
  const verdict = decideNow(policy, FRIEND)
  return verdict.ok && verdict.value.allow
}

/** A policy as the gateway runs it, from a bundle in a temporary file. */
export async function startPolicy(
  bundle: Buffer,
  options: Partial<PolicyOptions> = {},
): Promise<RunningPolicy> {
  const file = await bundleFile(bundle)
  const events: PolicyEvent[] = []
  try {
    const policy = await createPolicy({
      bundlePath: file.path,
      watch: false,
      memoryLimitPages: 2048,
      clock: systemClock,
      onEvent: (event) => void events.push(event),
      ...options,
    })
    return {
      policy,
      file,
      events,
      async [Symbol.asyncDispose]() {
        await policy[Symbol.asyncDispose]()
        await file[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await file[Symbol.asyncDispose]()
    throw error
  }
}

/** What `evaluate` of the SDK takes when nobody stands before it. */
export interface BareSdk extends Omit<LoadedPolicy, 'evaluate' | 'setData'> {
  evaluate(
    input: unknown,
    entrypoint?: string | number,
  ): [{ result: { allow: boolean; reasons: readonly Reason[] } }]
  setData(data: unknown): void
}

/** The policy of a bundle in the SDK alone, with the memory that it takes by default. */
export async function bareSdk(bundle: Buffer, initial = 5, maximum = 2048): Promise<BareSdk> {
  const { wasm } = await openBundle(bundle)
  return loadPolicySync(await WebAssembly.compile(wasm), { initial, maximum }, {}) as BareSdk
}
