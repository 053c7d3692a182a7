import { parseArgs } from 'node:util'
import { loadConfig } from '../config/load.ts'
import { configSchema } from '../config/schema.ts'
import { showConfig } from '../config/show.ts'
import type { Command } from './command.ts'

const USAGE = `toolgate config [--config FILE] [--schema]

Prints the effective configuration as JSON, defaults and overrides included: a file that would start the same
gateway. Secrets are references (env:NAME, file:/path), and their values are never shown. --schema prints the JSON Schema of toolgate.yaml.
`

export const config: Command = {
  summary: 'print the effective configuration, or its JSON Schema',
  usage: USAGE,
  run(args, { environment, print }) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        config: { type: 'string', default: 'toolgate.yaml' },
        schema: { type: 'boolean', default: false },
        json: { type: 'boolean', default: true },
      },
    })
    const shown = values.schema ? configSchema : showConfig(loadConfig(values.config, { environment }))
    print(`${JSON.stringify(shown, undefined, 2)}\n`)
    return Promise.resolve(0)
  },
}
