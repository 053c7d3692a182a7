import { relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import {
  derivedData,
  derivedFiles,
  writeDerived,
  type DerivedFile,
} from '../../policy/authoring/build-policy.ts'
import { isSigningAlgorithm, type Signing, SIGNING_ALGORITHMS } from '../../policy/authoring/sign-bundle.ts'
import { type Command, UsageError } from '../command.ts'

const USAGE = `toolgate policy build [--directory FOLDER] [--out FILE] [--revision NAME] [--without PATH]… [--only PATH]… [--check] [--json]
                      [--signing-key FILE --signing-alg NAME [--scope TEXT] [--key-id NAME]]

Compiles the rules and data of a policy folder to a bundle with the official opa, and puts it through every check
that a gateway makes before it goes live. Writes the bundle, and schemas/input.json beside the rules.

  --directory FOLDER  gateway/*.rego and data/ (policies-rego)
  --out FILE          the bundle (FOLDER/bundle.tar.gz)
  --revision NAME     by default derived from the sources, so that the same rules are the same bundle
  --without PATH      leaves out the data at PATH (registry/agents), for which there is a bundle of its own
  --only PATH         makes that bundle of its own: the data at PATH and nothing else; needs --out
  --signing-key FILE  signs the bundle with this private key (PEM); needs --signing-alg and --out
  --signing-alg NAME  ES256, ES384, RS256, PS256 or EdDSA
  --scope TEXT        what it is signed for: policy.verification.scope of the gateways that take it
  --key-id NAME       policy.verification.keyId of these gateways
  --check             writes nothing, and fails when a file is not what its sources give

Exit codes: 0 done · 1 the rules do not build, or --check found a stale file · 2 wrong usage
`

export const build: Command = {
  summary: 'compile a policy folder to a bundle',
  usage: USAGE,
  async run(args, { print, complain }) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        directory: { type: 'string', default: 'policies-rego' },
        out: { type: 'string' },
        revision: { type: 'string' },
        without: { type: 'string', multiple: true, default: [] },
        only: { type: 'string', multiple: true, default: [] },
        'signing-key': { type: 'string' },
        'signing-alg': { type: 'string' },
        scope: { type: 'string' },
        'key-id': { type: 'string' },
        check: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    })
    const { out, revision, without, only, check } = values
    if (only.length > 0 && (out === undefined || without.length > 0)) {
      throw new UsageError('--only needs --out, and goes with no --without')
    }
    const signing = signingFrom(values)
    if (signing !== undefined && (out === undefined || check)) {
      throw new UsageError(
        '--signing-key needs --out, and goes with no --check: most signatures differ each time',
      )
    }
    const named = revision === undefined ? {} : { revision }
    const shared = { directory: resolve(values.directory), signing, ...named }
    const files =
      out !== undefined && only.length > 0
        ? await derivedData({ ...shared, out: resolve(out), roots: only })
        : await derivedFiles({ ...shared, without, ...(out === undefined ? {} : { out: resolve(out) }) })
    if (!check) await writeDerived(files)
    const stale = check ? files.filter(({ current }) => !current) : []
    if (values.json) print(`${JSON.stringify(asJson(files, check), undefined, 2)}\n`)
    else {
      for (const { path, sha256 } of files)
        print(`${sha256}  ${relative('.', path)}${path.endsWith('.gz') ? ' (unpacked)' : ''}\n`)
      for (const { path } of stale)
        complain(`${relative('.', path)} is not what its sources give: run toolgate policy build\n`)
    }
    return stale.length === 0 ? 0 : 1
  },
}

interface SigningValues {
  readonly 'signing-key'?: string | undefined
  readonly 'signing-alg'?: string | undefined
  readonly 'key-id'?: string | undefined
  readonly scope?: string | undefined
}

function signingFrom(values: SigningValues): Signing | undefined {
  const { 'signing-key': keyFile, 'signing-alg': algorithm, 'key-id': keyId, scope } = values
  if (keyFile === undefined) {
    if (algorithm ?? keyId ?? scope) throw new UsageError('nothing is signed without --signing-key')
    return undefined
  }
  if (algorithm === undefined || !isSigningAlgorithm(algorithm))
    throw new UsageError(`--signing-alg is one of ${[...SIGNING_ALGORITHMS].join(', ')}`)
  return { keyFile: resolve(keyFile), algorithm, scope: scope ?? '', keyId }
}

function asJson(files: readonly DerivedFile[], check: boolean): object {
  return {
    ok: !check || files.every(({ current }) => current),
    files: files.map(({ path, sha256, current }) => ({ path, sha256, written: !check && !current, current })),
  }
}
