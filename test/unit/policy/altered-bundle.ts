import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { VerificationConfig } from '../../../gateway/config/policy-config.ts'
import { openBundle } from '../../../gateway/policy/bundles/bundle.ts'
import type { Bundle } from '../../../gateway/policy/bundles/bundle.ts'
import { createBundleVerifier, readVerification } from '../../../gateway/policy/bundles/signature.ts'
import { bundleOf, createBundleKey, entriesOf, signedBundle } from '../../harness/signed-bundle.ts'
import type { BundleKey } from '../../harness/signed-bundle.ts'
import { signCompact } from '../../harness/signing.ts'
import { temporaryDirectory } from '../../harness/temporary-directory.ts'

export const NOW_MS = Date.parse('2026-11-23T09:00:00Z')

/** A bundle that opa signed, and its key; what is below gives it otherwise. */
export const key = createBundleKey('ES256')
export const signed = await signedBundle({
  key,
  scope: 'prod',
  keyId: 'k1',
  registry: '{"b": 2.50, "a": {"y": 1e2}}',
})

/** Keys in files of their own, and bundles opened by them. */
export interface Verifications extends AsyncDisposable {
  configOf(key: BundleKey, more?: Partial<VerificationConfig>): Promise<VerificationConfig>
  open(bundle: Buffer, more?: Partial<VerificationConfig>, by?: BundleKey): Promise<Bundle>
}

export async function startVerifications(): Promise<Verifications> {
  const folder = await temporaryDirectory()
  let files = 0
  const configOf: Verifications['configOf'] = async ({ publicPem, algorithm }, more = {}) => {
    files += 1
    const keyFile = join(folder.path, `key-${files}.pem`)
    await writeFile(keyFile, publicPem)
    return { keyFile, algorithm, scope: '', keyId: undefined, ...more }
  }
  return {
    configOf,
    async open(bundle, more = {}, by = key) {
      const config = await configOf(by, { scope: 'prod', ...more })
      return openBundle(bundle, { verify: createBundleVerifier(readVerification(config), NOW_MS) })
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

/** The signed bundle with some files replaced, added or, when `undefined`, left out. */
export function altered(changes: Readonly<Record<string, string | Buffer | undefined>>): Buffer {
  const kept = [...new Map([...entriesOf(signed), ...Object.entries(changes)])]
  return bundleOf(
    kept.flatMap(([name, content]) => (content === undefined ? [] : [[name, content] as const])),
  )
}

export const fileOf = (name: string): Buffer => entriesOf(signed).get(name) ?? Buffer.alloc(0)
export const token = (): string => {
  const { signatures } = JSON.parse(String(fileOf('.signatures.json'))) as { signatures: [string] }
  return signatures[0]
}
export const claims = (): Record<string, unknown> =>
  JSON.parse(Buffer.from(token().split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
export const listed = (): Record<string, unknown>[] => claims()['files'] as Record<string, unknown>[]
export const signatures = (...tokens: unknown[]): string => JSON.stringify({ signatures: tokens })

/** The bundle with claims of our own making, under a good signature. */
export function claiming(changes: Readonly<Record<string, unknown>>, header: object = {}): Buffer {
  const forged = signCompact({ alg: 'ES256', typ: 'JWT', ...header }, { ...claims(), ...changes }, key)
  return altered({ '.signatures.json': signatures(forged) })
}
