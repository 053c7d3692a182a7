import cluster from 'node:cluster'
import type { ExitCode, Surroundings } from '../cli/command.ts'
import { type Gateway, startGateway } from '../compose.ts'
import type { Config } from '../config/config.ts'
import { showConfig } from '../config/show.ts'
import { type FromWorker, isToWorker, type ToWorker, type WorkerReport } from './messages.ts'

/** One worker process: a whole gateway that shares the listening sockets and answers to the primary. */
export async function runWorker(
  config: Config,
  load: () => Config,
  surroundings: Surroundings,
): Promise<ExitCode> {
  await serve(config, load, surroundings)
  if (process.connected) process.disconnect()
  return 0
}

async function serve(config: Config, load: () => Config, surroundings: Surroundings): Promise<void> {
  const worker = Number(surroundings.environment['TOOLGATE_WORKER'] ?? '1')
  // Node ends this process if the primary goes during the start: the sockets come from there, and never would.
  await using gateway = await startGateway(config, { environment: surroundings.environment, worker })
  const drain = Promise.withResolvers<string>()
  // From here on Node must not, with calls in flight and the log unsealed; they still finish.
  if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true
  process.on('disconnect', () => drain.resolve('disconnect'))
  process.on('message', (message: unknown) => {
    if (isToWorker(message)) void obey(message, gateway, load, drain.resolve)
  })
  tell({ kind: 'started' })
  await Promise.race([drain.promise, surroundings.stop.requested])
  await gateway.drain(surroundings.stop.again)
}

async function obey(
  message: ToWorker,
  gateway: Gateway,
  load: () => Config,
  drain: (reason: string) => void,
): Promise<void> {
  switch (message.kind) {
    case 'report':
      return tell({ kind: 'report', request: message.request, report: await reportOf(gateway, message.want) })
    case 'control':
      return tell({ kind: 'answer', request: message.request, answer: await gateway.control(message.asked) })
    case 'channel':
      return tell({ kind: 'answer', request: message.request, answer: await gateway.channel(message.asked) })
    case 'reload':
      await gateway.reload(load)
      return tell({ kind: 'reloaded', people: gateway.config().listen.admin.people })
    case 'drain':
      return drain('drain')
  }
}

async function reportOf(gateway: Gateway, want: 'state' | 'metrics'): Promise<WorkerReport> {
  return {
    readiness: gateway.readiness(),
    notes: gateway.notes(),
    status: want === 'state' ? gateway.status() : undefined,
    config: want === 'state' ? showConfig(gateway.config()) : undefined,
    metrics: want === 'metrics' ? await gateway.metricsJson() : [],
  }
}

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message)
}
