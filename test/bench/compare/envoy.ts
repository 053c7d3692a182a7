import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePorts } from '../../harness/free-ports.ts'
import { PEER_TOOLS } from '../../harness/peer-tools.ts'
import { envoyConfiguration } from './envoy-configuration.ts'
import type { EnvoyPlaces } from './envoy-configuration.ts'
import { startServer } from './started-process.ts'

export interface RunningEnvoy extends AsyncDisposable {
  readonly port: number
  readonly pid: number
}

let started = 0

/** Envoy in the foreground with a worker thread for each of two cores, as it comes on such a machine. */
export async function startEnvoy(
  folder: string,
  places: Omit<EnvoyPlaces, 'port' | 'logFile'>,
): Promise<RunningEnvoy> {
  const path = PEER_TOOLS.envoy.find()
  const [port = 0] = await freePorts(1)
  const home = join(folder, `envoy-${String(port)}`)
  await mkdir(home, { recursive: true })
  const file = join(home, 'envoy.json')
  const configuration = envoyConfiguration({ ...places, port, logFile: join(home, 'access.log') })
  await writeFile(file, JSON.stringify(configuration))
  // Each on a machine needs an id of its own; that of one which died is taken by the next.
  const id = (process.pid * 10 + started++) % 2_147_483
  const command = [path, '-c', file, '--concurrency', '2', '--base-id', String(id), '--log-level', 'error']
  const server = await startServer([...command, '--disable-hot-restart'], port)
  return { port, pid: server.pid, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}
