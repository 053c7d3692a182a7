import { isDeepStrictEqual } from 'node:util'
import type { Config } from './config/config.ts'
import { ConfigError } from './config/problem.ts'
import { showConfig } from './config/show.ts'
import type { Generation } from './generation.ts'
import type { Lasting } from './lasting.ts'
import type { Listener } from './listen/listener.ts'
import type { Succession } from './succession.ts'

interface ReloadParts {
  /** The configuration of the start, which decides what a reload cannot change. */
  readonly given: Config
  readonly make: (config: Config, lasting: Lasting, before?: Generation) => Promise<Generation>
  readonly lasting: Lasting
  readonly generations: Succession<Generation>
  readonly listener: Listener
}

/** Takes configurations anew, all or nothing; see `Gateway.reload`. */
export function createReload({
  given,
  make,
  lasting,
  generations,
  listener,
}: ReloadParts): (load: () => Config) => Promise<void> {
  const take = async (load: () => Config): Promise<void> => {
    const next = load()
    refuseRestart(given, next)
    const before = generations.current
    const connectors = [...Object.keys(before.config.connectors), ...Object.keys(next.connectors)]
    lasting.telemetry.useConnectors(new Set(connectors))
    const notifyAnew = lasting.channels.prepare(next.notify)
    await succeed(generations, await make(next, lasting, before), listener)
    notifyAnew()
    putInForce(lasting, generations.current)
  }
  let reloading = Promise.resolve()
  // One after the other: two at once could leave the older of two configurations in force.
  return (load) => (reloading = reloading.then(() => attempt(() => take(load), lasting)))
}

/** Tells the log, the metrics and the record under which configuration and policy calls are decided from now on. */
export function putInForce(
  { approvals, audit, detections, telemetry }: Lasting,
  { config, policy }: Generation,
): void {
  detections.use(config.detections)
  approvals.people.use(config)
  telemetry.events.configLoaded()
  telemetry.events.unboundTokens(config.identity.dangerouslyAllowUnboundTokens)
  audit.changes.configLoaded(showConfig(config), policy)
}

/** A certificate that cannot be used refuses the whole configuration, before any of it is in force. */
async function succeed(
  generations: Succession<Generation>,
  next: Generation,
  listener: Listener,
): Promise<void> {
  try {
    listener.reloadTls()
  } catch (cause) {
    await next[Symbol.asyncDispose]()
    throw cause
  }
  generations.succeed(next)
}

async function attempt(reload: () => Promise<void>, { audit, telemetry }: Lasting): Promise<void> {
  telemetry.log.reopen()
  try {
    await reload()
  } catch (error) {
    telemetry.events.configRejected(error)
    audit.changes.configRejected(error)
  }
}

/** Sections that made what a reload keeps: sockets, processes, counters, the log and the record; ports do as well. */
const NEEDS_RESTART = ['listen', 'workers', 'store', 'locks', 'approvals', 'audit', 'telemetry'] as const

function refuseRestart(running: Config, next: Config): void {
  const changed: string[] = NEEDS_RESTART.filter(
    (name) => !isDeepStrictEqual(fixedOf(running)[name], fixedOf(next)[name]),
  )
  for (const name of new Set([...Object.keys(running.connectors), ...Object.keys(next.connectors)])) {
    if (running.connectors[name]?.address.port !== next.connectors[name]?.address.port)
      changed.push(`connectors.${name}.address.port`)
  }
  for (const name of ['labels', 'decisionLog', 'status'] as const) {
    if (!isDeepStrictEqual(running.policy[name], next.policy[name])) changed.push(`policy.${name}`)
  }
  if (changed.length === 0) return
  throw new ConfigError(changed.map((path) => ({ path, reason: 'was changed, which needs a restart' })))
}

/** Without the people whom the admin listener knows, who come and go. */
function fixedOf(config: Config): Config {
  const { listen } = config
  return { ...config, listen: { ...listen, admin: { ...listen.admin, people: NOBODY } } }
}

const NOBODY = { issuers: [], certificates: [], operatorGroups: [], barred: [] } as const
