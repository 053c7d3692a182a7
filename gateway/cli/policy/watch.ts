import { relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type BuildOptions, derivedFiles, writeDerived } from '../../policy/authoring/build-policy.ts'
import { watchPolicyFolder } from '../../policy/authoring/watch-folder.ts'
import type { Command, Surroundings } from '../command.ts'

const USAGE = `toolgate policy watch [--directory FOLDER] [--out FILE] [--json]

Builds now, and again whenever a rule or its data is saved. A gateway that evaluates the bundle notices, tests it and
swaps it in. Rules that do not build are said and leave the bundle as it is. Ctrl-C stops.

  --directory FOLDER  gateway/*.rego and data/ (policies-rego)
  --out FILE          the bundle (FOLDER/bundle.tar.gz)
  --json              one object a line

Exit codes: 0 stopped · 1 the folder cannot be watched · 2 wrong usage
`

export const watch: Command = {
  summary: 'build whenever a rule or its data is saved',
  usage: USAGE,
  async run(args, surroundings) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        directory: { type: 'string', default: 'policies-rego' },
        out: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    })
    const { directory, out, json } = values
    const options = { directory: resolve(directory), ...(out === undefined ? {} : { out: resolve(out) }) }
    // One at a time, in order: the last save is the last to be written.
    let building: Promise<void> = Promise.resolve()
    const rebuild = (): void => {
      building = building.then(() => buildOnce(options, json, surroundings))
    }
    using _watching = watchPolicyFolder(options.directory, rebuild)
    rebuild()
    await surroundings.stop.requested
    await building
    return 0
  },
}

async function buildOnce(
  options: BuildOptions,
  json: boolean,
  { print, complain }: Pick<Surroundings, 'print' | 'complain'>,
): Promise<void> {
  try {
    const files = await derivedFiles(options)
    await writeDerived(files)
    const bundle = files.at(-1)
    if (bundle === undefined) return
    const { path, sha256, current } = bundle
    if (json) print(`${JSON.stringify({ ok: true, path, sha256, written: !current })}\n`)
    else print(`${relative('.', path)}: ${current ? 'as it was' : `built ${sha256.slice(0, 12)}`}\n`)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (json) print(`${JSON.stringify({ ok: false, problem: message })}\n`)
    else complain(`not built, the bundle stays as it is: ${message}\n`)
  }
}
