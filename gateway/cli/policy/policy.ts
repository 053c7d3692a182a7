import type { Command } from '../command.ts'
import { UsageError } from '../command.ts'

const USAGE = `toolgate policy build     compile a policy folder to a bundle
toolgate policy test      put a policy folder to all its tests
toolgate policy explain   say which rules fired and which nearly did
toolgate policy diff      list what two bundles decide differently
toolgate policy grants    list who may do what, and what nobody does
toolgate policy watch     build whenever a rule or its data is saved

Each has its own --help. Exit codes: 0 done · 1 failed · 2 wrong usage
`

/** For the people who write the rules. Its parts are loaded only when one of them runs. */
export const policy: Command = {
  summary: 'build, test, explain and compare the rules',
  usage: USAGE,
  subcommands: new Map([
    ['build', async () => (await import('./build.ts')).build],
    ['test', async () => (await import('./test.ts')).test],
    ['diff', async () => (await import('./diff.ts')).diff],
    ['grants', async () => (await import('./grants.ts')).grants],
    ['watch', async () => (await import('./watch.ts')).watch],
    ['explain', async () => (await import('./explain.ts')).explain],
  ]),
  run([name]) {
    return Promise.reject(
      new UsageError(
        name === undefined ? 'which command of policy?' : `policy has no command ${JSON.stringify(name)}`,
      ),
    )
  },
}
