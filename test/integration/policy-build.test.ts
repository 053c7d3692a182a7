import { createPublicKey } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openBundle, openDataBundle } from '../../gateway/policy/bundles/bundle.ts'
import { type BundleVerification, createBundleVerifier } from '../../gateway/policy/bundles/signature.ts'
import { runOpa } from '../harness/opa.ts'
import { type BundleKey, createBundleKey } from '../harness/signed-bundle.ts'
import { policyFolder, runPolicy, runPolicyJson, SMALL_POLICY } from '../harness/policy-command.ts'

function privatePem({ privateKey }: BundleKey): string {
  return String(privateKey.export({ type: 'pkcs8', format: 'pem' }))
}

describe('toolgate policy build', () => {
  it('makes a bundle of a folder of the user, with the revision asked for and the roots that it fills', async () => {
    await using folder = await policyFolder(SMALL_POLICY)
    const out = join(folder.path, 'dist', 'live.tar.gz')
    const { exitCode } = await runPolicy([
      'build',
      '--directory',
      folder.path,
      '--out',
      out,
      '--revision',
      'r1',
    ])
    expect(exitCode).toBe(0)
    expect(await openBundle(await readFile(out))).toMatchObject({
      revision: 'r1',
      roots: ['gateway', 'registry'],
    })
  })

  it('makes a bundle without some of the data, and one of that data alone, which fit together', async () => {
    await using folder = await policyFolder(SMALL_POLICY)
    const [rules, agents] = [join(folder.path, 'rules.tar.gz'), join(folder.path, 'agents.tar.gz')]
    const build = ['build', '--directory', folder.path, '--revision', 'r1']
    expect((await runPolicy([...build, '--out', rules, '--without', 'registry/agents'])).exitCode).toBe(0)
    expect((await runPolicy([...build, '--out', agents, '--only', 'registry/agents'])).exitCode).toBe(0)
    expect(await openBundle(await readFile(rules))).not.toMatchObject({ roots: ['gateway', 'registry'] })
    expect(await openDataBundle(await readFile(agents))).toMatchObject({
      revision: 'r1',
      roots: ['registry/agents'],
    })
    expect((await runPolicy([...build, '--only', 'registry/agents'])).exitCode).toBe(2)
    expect((await runPolicy([...build, '--out', agents, '--only', 'gateway'])).exitCode).toBe(1)
  })

  it.each(['ES256', 'RS256', 'EdDSA'] as const)(
    'signs with %s what a gateway verifies that trusts the key, and no other gateway takes',
    async (algorithm) => {
      const key = createBundleKey(algorithm)
      await using folder = await policyFolder({ ...SMALL_POLICY, 'sign.pem': privatePem(key) })
      const out = join(folder.path, 'signed.tar.gz')
      const args = ['--signing-key', join(folder.path, 'sign.pem'), '--signing-alg', algorithm]
      const named = ['--scope', 'production', '--key-id', 'k1']
      const build = ['build', '--directory', folder.path, '--out', out, ...args, ...named]
      expect(await runPolicy(build)).toMatchObject({ exitCode: 0, complained: '' })

      const bundle = await readFile(out)
      const trusting = { key: createPublicKey(key.publicPem), algorithm, scope: 'production', keyId: 'k1' }
      const openedBy = (verification: BundleVerification) =>
        openBundle(bundle, { verify: createBundleVerifier(verification, Date.now()) })
      expect(await openedBy(trusting)).toMatchObject({ roots: ['gateway', 'registry'] })
      await expect(openedBy({ ...trusting, scope: 'staging' })).rejects.toThrow('signed for the scope')
      await expect(openedBy({ ...trusting, keyId: 'k2' })).rejects.toThrow('names the key')
      const other = createPublicKey(createBundleKey(algorithm).publicPem)
      await expect(openedBy({ ...trusting, key: other })).rejects.toThrow('not made with the configured key')
      await expect(openBundle(bundle)).rejects.toThrow('signed')

      expect(await runPolicy(['diff', out, out, '--cases', join(folder.path, 'cases')])).toMatchObject({
        exitCode: 0,
        printed: '2 cases, 0 recorded calls: 0 decided differently\n',
      })
    },
  )

  it.each(['ES256', 'RS256'] as const)('signs with %s what the real opa verifies', async (algorithm) => {
    const key = createBundleKey(algorithm)
    const files = { 'sign.pem': privatePem(key), 'verify.pem': key.publicPem }
    await using folder = await policyFolder({ ...SMALL_POLICY, ...files })
    const signing = ['--signing-key', join(folder.path, 'sign.pem'), '--signing-alg', algorithm]
    const out = join(folder.path, 'signed.tar.gz')
    await runPolicy(['build', '--directory', folder.path, '--out', out, '--scope', 's', ...signing])
    const verifying = ['--verification-key', 'verify.pem', '--signing-alg', algorithm, '--output', 'o.tar.gz']
    const opaVerifies = (scope: string) =>
      runOpa(['build', '--bundle', 'signed.tar.gz', ...verifying, '--scope', scope], folder.path)
    await expect(opaVerifies('s')).resolves.toBe('')
    await expect(opaVerifies('t')).rejects.toThrow('scope mismatch')
  })

  it('says what is wrong with a key before it builds anything', async () => {
    const key = createBundleKey('ES256')
    const files = { 'sign.pem': privatePem(key), 'public.pem': key.publicPem }
    await using folder = await policyFolder({ ...SMALL_POLICY, ...files })
    const out = join(folder.path, 'signed.tar.gz')
    const sign = (file: string, algorithm: string, ...more: readonly string[]) => {
      const signing = ['--signing-key', join(folder.path, file), '--signing-alg', algorithm]
      return runPolicy(['build', '--directory', folder.path, ...signing, ...more])
    }
    expect((await sign('public.pem', 'ES256', '--out', out)).complained).toContain('holds no private key')
    expect((await sign('none.pem', 'ES256', '--out', out)).complained).toContain('holds no private key')
    expect((await sign('sign.pem', 'RS256', '--out', out)).complained).toContain('is not one of RS256')
    expect(await sign('sign.pem', 'HS256', '--out', out)).toMatchObject({ exitCode: 2 })
    expect(await sign('sign.pem', 'ES256')).toMatchObject({ exitCode: 2 })
    expect(await sign('sign.pem', 'ES256', '--out', out, '--check')).toMatchObject({ exitCode: 2 })
    expect(await runPolicy(['build', '--scope', 'production'])).toMatchObject({ exitCode: 2 })
    expect(await readdir(folder.path)).not.toContain('signed.tar.gz')
  })

  it('refuses rules that read what the input does not have', async () => {
    const rules = (SMALL_POLICY['gateway/decision.rego'] ?? '').replace('business_hours', 'bussiness_hours')
    await using folder = await policyFolder({ ...SMALL_POLICY, 'gateway/decision.rego': rules })
    const { exitCode, complained } = await runPolicy(['build', '--directory', folder.path])
    expect(exitCode).toBe(1)
    expect(complained).toMatch(
      /undefined ref: input\.time\.bussiness_hours[^]*want \(one of\): .*"business_hours"/,
    )
    expect(await readdir(folder.path)).not.toContain('bundle.tar.gz')
  })

  it('leaves out no data that shares a file with other data', async () => {
    await using folder = await policyFolder({ ...SMALL_POLICY, 'data/registry/data.json': '{"limit": 1}' })
    const { exitCode, complained } = await runPolicy([
      'build',
      '--directory',
      folder.path,
      '--without',
      'registry/agents',
    ])
    expect(exitCode).toBe(1)
    expect(complained).toContain('data/registry/data.json lies above registry/agents')
  })

  it('says with --check whether what is written is what the sources give, and writes nothing', async () => {
    await using folder = await policyFolder(SMALL_POLICY)
    const check = ['build', '--directory', folder.path, '--check']
    expect((await runPolicy(check)).exitCode).toBe(1)
    expect(await readdir(folder.path)).not.toContain('bundle.tar.gz')
    await runPolicy(['build', '--directory', folder.path])
    expect((await runPolicy(check)).exitCode).toBe(0)
    await folder.write('data/registry/agents/data.json', '{}')
    expect(await runPolicyJson(check)).toMatchObject({
      exitCode: 1,
      json: { ok: false, files: [{ current: true }, { current: true }, { current: false }] },
    })
  })

  it.each([
    ['does not parse', 'gateway/broken.rego', 'package gateway.broken\n\nallow if {', 'broken.rego:3'],
    [
      'calls a builtin that the gateway has not',
      'gateway/odd.rego',
      'package gateway.odd\n\nx := http.send({})',
      'http.send',
    ],
    ['has data where rules are', 'data/gateway/data.json', '{"grant": {}}', 'gateway'],
  ])('writes nothing where a file %s', async (_, name, content, said) => {
    await using folder = await policyFolder({ ...SMALL_POLICY, [name]: content })
    const { exitCode, complained } = await runPolicy(['build', '--directory', folder.path])
    expect(exitCode).toBe(1)
    expect(complained).toContain(said)
    expect(await readdir(folder.path)).not.toContain('bundle.tar.gz')
  })

  it('refuses a policy that allows a call by nobody, as a gateway would', async () => {
    const rules = `package gateway.decision

decision := {"allow": true, "risk": 0, "reasons": [], "obligations": []}
`
    await using folder = await policyFolder({ 'gateway/decision.rego': rules })
    const { exitCode, complained } = await runPolicy(['build', '--directory', folder.path])
    expect({ exitCode, complained }).toEqual({
      exitCode: 1,
      complained: 'toolgate: the policy allows a call by nobody\n',
    })
  })

  it('tells a folder without rules and a wrong option apart from rules that fail', async () => {
    await using folder = await policyFolder({ 'data/data.json': '{}' })
    expect(await runPolicy(['build', '--directory', folder.path])).toMatchObject({
      exitCode: 1,
      complained: expect.stringContaining('has no rules') as unknown,
    })
    expect((await runPolicy(['build', '--optimise'])).exitCode).toBe(2)
    expect((await runPolicy(['bild'])).exitCode).toBe(2)
  })
})
