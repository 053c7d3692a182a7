import { parseArgs } from 'node:util'
import { everyProblem } from '../check-config.ts'
import { readConfig } from '../config/load.ts'
import { ConfigError } from '../config/problem.ts'
import type { Command } from './command.ts'

const USAGE = `toolgate check [--config FILE] [--json]

Reads the configuration with its overrides, the certificates and connectors it names and the policy bundle, and
lists every mistake with its path and reason. Starts nothing. Exit code 0 when there is none, 2 when there is one.
`

export const check: Command = {
  summary: 'check the configuration, and the certificates, connectors and policy bundle that it names',
  usage: USAGE,
  async run(args, { environment, print, complain }) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        config: { type: 'string', default: 'toolgate.yaml' },
        json: { type: 'boolean', default: false },
      },
    })
    const problems = await findProblems(values.config, environment)
    if (values.json) print(`${JSON.stringify({ ok: problems.length === 0, problems }, undefined, 2)}\n`)
    else if (problems.length === 0) print(`${values.config}: no mistakes\n`)
    else for (const { path, reason } of problems) complain(`${path}: ${reason}\n`)
    return problems.length === 0 ? 0 : 2
  },
}

async function findProblems(path: string, environment: Readonly<Record<string, string | undefined>>) {
  try {
    return await everyProblem(readConfig(path, { environment }), environment)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}
