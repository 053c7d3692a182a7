import cluster, { type Worker } from 'node:cluster'
import type { Admin } from '../admin/admin.ts'
import { openAdmin, reloadAdminTls, reloadPeople } from '../admin/open-admin.ts'
import { openExports, type Exports } from '../audit/exports/open-exports.ts'
import { FleetLog } from '../audit/fleet-log.ts'
import type { ExitCode, Surroundings } from '../cli/command.ts'
import { followFiles, type SeenFile } from '../cli/followed-files.ts'
import type { Config } from '../config/config.ts'
import { systemClock } from '../lib/clock.ts'
import { createExportMetrics } from '../telemetry/export-metrics.ts'
import { createFleetLogMetrics } from '../telemetry/fleet-log-metrics.ts'
import { VERSION } from '../version.ts'
import { Fleet } from './fleet.ts'

/** Runs the workers: admin in one place, reload and drain passed on, a worker that dies is replaced. */
export async function runPrimary(
  config: Config,
  files: readonly SeenFile[],
  surroundings: Surroundings,
): Promise<ExitCode> {
  await using record = await openRecord(config, surroundings)
  const fleet = new Fleet(surroundings.complain, record.metricsJson)
  const numbers = new Map<number, number>()
  const launch = (number: number): Worker => {
    const worker = cluster.fork({ TOOLGATE_WORKER: String(number) })
    numbers.set(worker.id, number)
    fleet.add(worker)
    return worker
  }
  const started = await startAll(config.workers, launch, fleet)
  if (!started) return 1
  await record.fleetLog.watch()
  await using _exports = record.startExports()
  replaceTheDead(({ id }) => launch(numbers.get(id) ?? id), fleet, surroundings)
  await using admin = await startFleetAdmin(fleet, config, surroundings)
  fleet.onReloaded((people) => void reloadPeople(admin, people, surroundings))
  const reload = (): void => {
    fleet.tell({ kind: 'reload' })
    reloadAdminTls(admin, surroundings)
  }
  using _following = followFiles(files, reload)
  surroundings.onReload(reload)
  await surroundings.stop.requested
  fleet.stopping = true
  fleet.tell({ kind: 'drain' })
  await fleet.allGone(surroundings.stop.again)
  return 0
}

/** The fleet log and its metrics; closed last of all, when the workers have sealed their logs. */
async function openRecord(config: Config, { complain, environment }: Surroundings) {
  const metrics = createFleetLogMetrics(() => fleetLog)
  const fleetLog: FleetLog = await FleetLog.open({
    config: config.audit,
    version: VERSION,
    onAlarm(alarm, { node, epoch }) {
      metrics.alarmed(alarm)
      complain(`toolgate: the fleet log finds ${node}/${epoch} ${alarm.replace('_', ' ')}\n`)
    },
    onFailure: (cause) => complain(`toolgate: the fleet log failed: ${String(cause)}\n`),
    onWitness(witness, outcome) {
      metrics.witnessAnswered(outcome)
      if (outcome === 'contradicted')
        complain(`toolgate: the witness ${witness} knows another history of the fleet log\n`)
    },
  })
  let exports: Exports | undefined
  const exportMetrics = createExportMetrics(() => exports?.states() ?? [])
  return {
    fleetLog,
    startExports: () =>
      (exports = openExports({
        config: config.audit,
        environment,
        clock: systemClock,
        metrics: exportMetrics,
        onFailed: (name, cause) =>
          complain(`toolgate: export ${name} failed, and is tried again: ${String(cause)}\n`),
        onRecovered: (name) => complain(`toolgate: export ${name} works again\n`),
      })),
    metricsJson: async () => [...(await metrics.metricsJson()), ...(await exportMetrics.metricsJson())],
    [Symbol.asyncDispose]: () => fleetLog[Symbol.asyncDispose](),
  }
}

/** All or nothing: a worker that fails to start takes the others with it. */
async function startAll(workers: number, launch: (number: number) => Worker, fleet: Fleet): Promise<boolean> {
  const starts = Array.from({ length: workers }, (_, index) => fleet.started(launch(index + 1)))
  const results = await Promise.all(starts)
  if (results.every(Boolean)) return true
  fleet.stopping = true
  fleet.tell({ kind: 'drain' })
  await fleet.allGone(AbortSignal.timeout(5_000))
  return false
}

const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 10_000

/** `relaunch` gives the new worker the number of the dead one, and with it the folder of its record. */
function replaceTheDead(relaunch: (dead: Worker) => Worker, fleet: Fleet, { complain }: Surroundings): void {
  let pauseMs = FIRST_PAUSE_MS
  cluster.on('exit', (worker, code, signal) => {
    if (fleet.stopping) return
    complain(`toolgate: worker ${worker.id} ended (${signal ?? code}), starting another in ${pauseMs} ms\n`)
    setTimeout(() => {
      if (fleet.stopping) return
      void fleet.started(relaunch(worker)).then((isUp) => {
        if (isUp) pauseMs = FIRST_PAUSE_MS
      })
    }, pauseMs)
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
  })
}

function startFleetAdmin(fleet: Fleet, config: Config, surroundings: Surroundings): Promise<Admin> {
  return openAdmin(config, surroundings, {
    readiness: () => fleet.readiness(),
    notes: () => fleet.notes(),
    metrics: () => fleet.metrics(),
    status: () => fleet.status(),
    config: () => fleet.config(),
    control: (request) => fleet.relay.control(request),
    channel: (request) => fleet.relay.channel(request),
  })
}
