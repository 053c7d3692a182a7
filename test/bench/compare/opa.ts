import { join } from 'node:path'
import { findOpa } from '../../../gateway/policy/authoring/opa.ts'
import { freePorts } from '../../harness/free-ports.ts'
import { PEER_TOOLS } from '../../harness/peer-tools.ts'
import { startServer } from './started-process.ts'

/** A process that answers by the gateway's own rules. */
export interface Sidecar extends AsyncDisposable {
  readonly port: number
  readonly pid: number
}

const POLICIES = join(import.meta.dirname, '..', '..', '..', 'policies-rego')
const rules = (...names: readonly string[]): string[] => [
  join(POLICIES, 'gateway'),
  // Loaded as what they are below `data/`, which is where rules look for them.
  join(POLICIES, 'data'),
  ...names.map((name) => join(import.meta.dirname, 'rules', name)),
]

/** `opa run`, asked over REST. */
export function startOpa(): Promise<Sidecar> {
  return start(async (address) => [...(await server(address)), ...rules('calls.rego', 'proxy.rego')])
}

/** `opa run`, asked by Envoy over HTTP: its own authorization is the answer, as it has no other one that is a status. */
export function startOpaForHttp(): Promise<Sidecar> {
  return start(async (address) => [
    ...(await server(address)),
    // The rules read another input, which the one for authorization makes for them.
    '--authorization=basic',
    '--skip-known-schema-check',
    ...rules('calls.rego', 'server.rego'),
  ])
}

/** OPA as a library behind the service that Envoy asks over gRPC. */
export function startExtAuthz(): Promise<Sidecar> {
  const path = PEER_TOOLS.extAuthz.find()
  const query = 'data.bench.envoy.allow'
  return start((address) =>
    Promise.resolve([path, '-listen', address, '-query', query, ...rules('calls.rego', 'envoy.rego')]),
  )
}

async function server(address: string): Promise<string[]> {
  const quiet = ['--log-level=error', '--skip-version-check', '--ignore', '*_test.rego']
  return [await findOpa(), 'run', '--server', '--addr', address, ...quiet]
}

async function start(commandOf: (address: string) => Promise<readonly string[]>): Promise<Sidecar> {
  const [port = 0] = await freePorts(1)
  const running = await startServer(await commandOf(`127.0.0.1:${String(port)}`), port)
  return { port, pid: running.pid, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() }
}
