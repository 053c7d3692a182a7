import { relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { derivedFiles, writeDerived, type DerivedFile } from '../../policy/authoring/build-policy.ts'
import type { Command } from '../command.ts'

const USAGE = `toolgate policy build [--directory FOLDER] [--out FILE] [--revision NAME] [--check] [--json]

Compiles the rules and data of a policy folder to a bundle with the official opa, and puts it through every check
that a gateway makes before it goes live. Writes the bundle, and schemas/input.json beside the rules.

  --directory FOLDER  gateway/*.rego and data/ (policies-rego)
  --out FILE          the bundle (FOLDER/bundle.tar.gz)
  --revision NAME     by default derived from the sources, so that the same rules are the same bundle
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
        check: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    })
    const { directory, out, revision, check } = values
    const files = await derivedFiles({
      directory: resolve(directory),
      ...(out === undefined ? {} : { out: resolve(out) }),
      ...(revision === undefined ? {} : { revision }),
    })
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

function asJson(files: readonly DerivedFile[], check: boolean): object {
  return {
    ok: !check || files.every(({ current }) => current),
    files: files.map(({ path, sha256, current }) => ({ path, sha256, written: !check && !current, current })),
  }
}
