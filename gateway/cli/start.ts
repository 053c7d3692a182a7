import cluster from 'node:cluster'
import { parseArgs } from 'node:util'
import { startAdmin } from '../admin/admin.ts'
import { everyProblem } from '../check-config.ts'
import { type Gateway, startGateway } from '../compose.ts'
import type { Config } from '../config/config.ts'
import { loadConfig, readConfig } from '../config/load.ts'
import { ConfigError } from '../config/problem.ts'
import { createSecretReader } from '../config/secret.ts'
import { showConfig } from '../config/show.ts'
import { fingerprintOf, watchFile } from '../lib/watch-file.ts'
import { type ConfigFile, runPrimary } from '../workers/primary.ts'
import { runWorker } from '../workers/worker.ts'
import type { Command, ExitCode, Surroundings } from './command.ts'

const USAGE = `toolgate start [--config FILE]

Starts the gateway. SIGHUP, or a change of the file, reloads the configuration: all or nothing, the last good one
stays. Either opens the log file anew, for log rotation. SIGTERM drains: not ready, grace, no new connections, calls in flight finish, log sealed, exit 0. A second
signal skips the waiting.
`

export const start: Command = {
  summary: 'start the gateway',
  usage: USAGE,
  async run(args, surroundings) {
    const { values } = parseArgs({
      args: [...args],
      options: { config: { type: 'string', default: 'toolgate.yaml' } },
    })
    const load = (): Config => loadConfig(values.config, surroundings)
    const seen = fingerprintOf(values.config)
    if (cluster.isWorker) return runWorker(load(), load, surroundings)
    // Before a port, a log or a folder is opened, and all of them at once.
    const reading = readConfig(values.config, surroundings)
    const { config } = reading
    const problems = await everyProblem(reading, surroundings.environment)
    if (problems.length > 0) throw new ConfigError(problems)
    if (config.workers > 1) return runPrimary(config, { path: values.config, seen }, surroundings)
    return runAlone(config, load, { path: values.config, seen }, surroundings)
  },
}

async function runAlone(
  config: Config,
  load: () => Config,
  { path, seen }: ConfigFile,
  surroundings: Surroundings,
): Promise<ExitCode> {
  await using gateway = await startGateway(config, { environment: surroundings.environment, worker: 0 })
  await using _admin = await startAdminFor(gateway, config, surroundings)
  using _watch = watchFile(path, () => void gateway.reload(load), { seen })
  surroundings.onReload(() => void gateway.reload(load))
  await surroundings.stop.requested
  await gateway.drain(surroundings.stop.again)
  return 0
}

/** The operators' listener of a gateway that runs in this one process. */
export async function startAdminFor(
  gateway: Gateway,
  config: Config,
  { environment }: Pick<Surroundings, 'environment'>,
) {
  const { host, port, token } = config.listen.admin
  const secret = token === undefined ? undefined : createSecretReader(environment)(token)
  return startAdmin(
    { host, port, token: secret },
    {
      readiness: () => gateway.readiness(),
      notes: () => gateway.notes(),
      metrics: () => gateway.metrics(),
      status: () => gateway.status(),
      config: () => showConfig(gateway.config()),
    },
  )
}
