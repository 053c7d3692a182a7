/**
 * Builds what is committed beside the rules: `node policies-rego/build.ts`, which is `toolgate policy build` of this
 * folder. With `--check` it says whether the committed files are what the sources give; that is what continuous
 * integration runs.
 */
import { runCommand } from '../gateway/cli/run-command.ts'
import { build } from '../gateway/cli/policy/build.ts'

process.exitCode = await runCommand(build, ['--directory', import.meta.dirname, ...process.argv.slice(2)], {
  print: (text) => void process.stdout.write(text),
  complain: (text) => void process.stderr.write(text),
  environment: {},
  stop: { requested: new Promise(() => undefined), again: new AbortController().signal },
  onReload: () => undefined,
  isTerminal: false,
  ask: () => Promise.resolve(undefined),
})
