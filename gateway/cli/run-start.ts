import cluster from 'node:cluster'
import { parseArgs } from 'node:util'
import { openAdmin, reloadAdminTls, reloadPeople, type AdminSurroundings } from '../admin/open-admin.ts'
import { everyProblem } from '../check-config.ts'
import { type Gateway, startGateway } from '../compose.ts'
import type { Config } from '../config/config.ts'
import { loadConfig, readConfig } from '../config/load.ts'
import { ConfigError } from '../config/problem.ts'
import { showConfig } from '../config/show.ts'
import { runPrimary } from '../workers/primary.ts'
import { runWorker } from '../workers/worker.ts'
import type { ExitCode, Surroundings } from './command.ts'
import { filesToFollow, followFiles, type SeenFile, seenNow } from './followed-files.ts'

/** What `toolgate start` does. */
export async function runStart(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { values } = parseArgs({
    args: [...args],
    options: { config: { type: 'string', default: 'toolgate.yaml' } },
  })
  const load = (): Config => loadConfig(values.config, surroundings)
  const configFile = seenNow(values.config)
  if (cluster.isWorker) return runWorker(load(), load, surroundings)
  // Before a port, a log or a folder is opened, and all of them at once.
  const reading = readConfig(values.config, surroundings)
  const { config } = reading
  const files = filesToFollow(configFile, config)
  const problems = await everyProblem(reading, surroundings.environment)
  if (problems.length > 0) throw new ConfigError(problems)
  if (config.workers > 1) return runPrimary(config, files, surroundings)
  return runAlone(config, load, files, surroundings)
}

async function runAlone(
  config: Config,
  load: () => Config,
  files: readonly SeenFile[],
  surroundings: Surroundings,
): Promise<ExitCode> {
  await using gateway = await startGateway(config, { environment: surroundings.environment, worker: 0 })
  await using admin = await startAdminFor(gateway, config, surroundings)
  const reload = (): void => {
    reloadAdminTls(admin, surroundings)
    // Those of the last good configuration, where this one was not.
    void gateway
      .reload(load)
      .then(() => reloadPeople(admin, gateway.config().listen.admin.people, surroundings))
  }
  using _following = followFiles(files, reload)
  surroundings.onReload(reload)
  await surroundings.stop.requested
  await gateway.drain(surroundings.stop.again)
  return 0
}

/** The operators' listener of a gateway that runs in this one process. */
export function startAdminFor(gateway: Gateway, config: Config, surroundings: AdminSurroundings) {
  return openAdmin(config, surroundings, {
    readiness: () => gateway.readiness(),
    notes: () => gateway.notes(),
    metrics: () => gateway.metrics(),
    status: () => gateway.status(),
    config: () => showConfig(gateway.config()),
    control: (request) => gateway.control(request),
    channel: (request) => gateway.channel(request),
  })
}
