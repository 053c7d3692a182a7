import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { ExitCode, Surroundings } from '../cli/command.ts'
import { startAdminFor } from '../cli/run-start.ts'
import { startGateway } from '../compose.ts'
import { loadConfig } from '../config/load.ts'
import { ANY_PORTS, startWorld } from './world.ts'

const PACKAGE_FOLDER = resolve(import.meta.dirname, '../..')
const DEFAULT_PORT = 8080
const DEFAULT_ADMIN_PORT = 9090
const DEV_CONFIG = join(PACKAGE_FOLDER, 'deploy/dev/toolgate.yaml')

export async function runDev(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string', default: String(DEFAULT_PORT) },
      'admin-port': { type: 'string', default: String(DEFAULT_ADMIN_PORT) },
    },
  })
  const origin = `http://127.0.0.1:${values.port}`
  const adminAudience = `http://127.0.0.1:${values['admin-port']}`
  await using world = await startWorld({ ports: ANY_PORTS, audience: origin, adminAudience })
  const environment = {
    TOOLGATE__LISTEN__PORT: values.port,
    TOOLGATE__LISTEN__ADMIN__PORT: values['admin-port'],
    TOOLGATE__LISTEN__EXTERNAL_ORIGINS: JSON.stringify([origin, `http://localhost:${values.port}`]),
    TOOLGATE__TELEMETRY__LOG_DESTINATION: 'stderr',
    ...world.environment,
    ...surroundings.environment,
  }
  const config = loadConfig(DEV_CONFIG, { environment })
  await using gateway = await startGateway(config, { environment, worker: 0 })
  await using admin = await startAdminFor(gateway, config, { ...surroundings, environment })
  surroundings.print(welcome(gateway.port, admin.port, world.issuer, world.origins))
  await surroundings.stop.requested
  await gateway.drain(surroundings.stop.again)
  return 0
}

function welcome(
  port: number,
  adminPort: number,
  issuer: string,
  origins: Readonly<Record<string, string>>,
): string {
  const stand = Object.entries(origins).map(([vendor, origin]) => `  ${vendor.padEnd(11)} ${origin}`)
  // What the other commands take for granted is the port that is the default here, too.
  const option = port === DEFAULT_PORT ? '' : ` --gateway http://127.0.0.1:${port}`
  const isUsual = port === DEFAULT_PORT && adminPort === DEFAULT_ADMIN_PORT
  const tourOptions = isUsual ? '' : `${option} --admin http://127.0.0.1:${adminPort}`
  return `Toolgate is listening.

  calls       http://127.0.0.1:${port}
  operators   http://127.0.0.1:${adminPort}   (/healthz /readyz /metrics /admin/v1/status)
  issuer      ${issuer}
${stand.join('\n')}

Try next, in another terminal:

  npx toolgate dev call github GET /repos/zyx/platform-infra/pulls/991${option}
  npx toolgate dev tour${tourOptions}
  curl -s http://127.0.0.1:${adminPort}/metrics | grep toolgate_calls_total

One line per call follows on stderr. Ctrl-C drains and stops.
`
}
