import { loadCatalog } from './catalog/catalog.ts'
import type { Config, TlsConfig } from './config/config.ts'
import type { ConfigReading } from './config/load.ts'
import type { PolicyConfig } from './config/policy-config.ts'
import { ConfigError, type ConfigProblem } from './config/problem.ts'
import { outboundsOf } from './config/notify-rules.ts'
import { createOutbound } from './egress/outbound.ts'
import { createTransport } from './egress/pools.ts'
import { GatewayFault } from './fault.ts'
import { readNonceSecret } from './identity/nonce-secret.ts'
import { systemClock } from './lib/clock.ts'
import { idleLimits } from './limits/idle-limits.ts'
import { readSecureContext } from './listen/tls.ts'
import { BundleError } from './policy/bundles/bundle-error.ts'
import { configuredOrigins } from './policy/bundles/configured-origins.ts'
import { POLICY_BUNDLE } from './policy/bundles/open-bundles.ts'
import { createPolicy } from './policy/policy.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** One look at something that the configuration names. */
interface Look {
  /** It is not taken while this section has the wrong shape, or something is known to be wrong at this place. */
  readonly section: keyof Config
  readonly place?: string
  problems(
    config: Config,
    environment: Environment,
    misshapen: ReadonlySet<string>,
  ): readonly ConfigProblem[] | Promise<readonly ConfigProblem[]>
}

const LOOKS: readonly Look[] = [
  {
    section: 'listen',
    place: 'listen.tls',
    problems: ({ listen }) => tlsProblems('listen.tls', listen.tls),
  },
  {
    section: 'listen',
    place: 'listen.admin.tls',
    problems: ({ listen }) => tlsProblems('listen.admin.tls', listen.admin.tls),
  },
  { section: 'identity', place: 'identity.dpop.nonceSecret', problems: nonceProblems },
  { section: 'connectors', problems: catalogProblems },
  { section: 'connectors', problems: transportProblems },
  { section: 'notify', problems: notifyProblems },
  { section: 'policy', place: 'policy', problems: policyProblems },
]

/**
 * Everything that is wrong with a configuration: what its reading found, and what is wrong with the certificates,
 * secrets, connector folders and policy that it names. Each of those is read by what will use it, so that nothing
 * passes here and fails at the start; and each whose section is in order, whatever is wrong elsewhere.
 */
export async function everyProblem(
  { config, misshapen, problems }: ConfigReading,
  environment: Environment,
): Promise<readonly ConfigProblem[]> {
  const looks = LOOKS.filter(
    ({ section, place }) => !misshapen.has(section) && !problems.some(({ path }) => isWithin(path, place)),
  )
  const found = await Promise.all(looks.map(async (look) => look.problems(config, environment, misshapen)))
  const known = new Set(problems.map(({ path }) => path))
  return [...problems, ...found.flat().filter(({ path }) => !known.has(path))]
}

function isWithin(path: string, place: string | undefined): boolean {
  return place !== undefined && (path === place || path.startsWith(`${place}.`))
}

function problemsOf(read: () => unknown): readonly ConfigProblem[] {
  try {
    read()
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

function catalogProblems(
  { connectors, limits }: Config,
  _environment: Environment,
  misshapen: ReadonlySet<string>,
): readonly ConfigProblem[] {
  return problemsOf(() => {
    const catalog = loadCatalog(connectors)
    // Which limits apply to nothing can be told only where it is known what there is.
    const isWhole = !misshapen.has('limits') && ![...misshapen].some((part) => part.startsWith('connectors.'))
    const idle = isWhole ? idleLimits(limits, catalog) : []
    if (idle.length > 0) throw new ConfigError(idle)
  })
}

function nonceProblems({ identity }: Config, environment: Environment): readonly ConfigProblem[] {
  const { nonceSecret } = identity.dpop
  return nonceSecret === undefined ? [] : problemsOf(() => readNonceSecret(nonceSecret, environment))
}

function transportProblems({ connectors }: Config): readonly ConfigProblem[] {
  return Object.entries(connectors).flatMap(([name, limits]) =>
    problemsOf(() => createTransport(`connectors.${name}`, limits, undefined)),
  )
}

function notifyProblems({ notify }: Config): readonly ConfigProblem[] {
  return outboundsOf(notify).flatMap(([path, config]) => problemsOf(() => createOutbound({ config, path })))
}

function tlsProblems(path: string, tls: TlsConfig | undefined): readonly ConfigProblem[] {
  if (tls === undefined) return []
  try {
    readSecureContext(tls)
    return []
  } catch (error) {
    if (!(error instanceof GatewayFault)) throw error
    const reason = error.cause instanceof Error ? error.cause.message : error.message
    return [{ path, reason: `the certificate files cannot be used: ${reason}` }]
  }
}

/** Loads the bundle as a start would, self-test included. */
async function policyProblems(config: Config, environment: Environment): Promise<readonly ConfigProblem[]> {
  const { policy } = config
  try {
    await using _policy = await createPolicy({
      ...configuredOrigins(policy, environment),
      watch: false,
      memoryLimitPages: policy.memoryLimitPages,
      clock: systemClock,
      onEvent: () => undefined,
    })
    return []
  } catch (error) {
    if (error instanceof BundleError) {
      return [{ path: pathOf(error.bundle, policy), reason: error.message }]
    }
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

/** The setting that a bundle comes from. */
function pathOf(name: string = POLICY_BUNDLE, policy: PolicyConfig): string {
  const [path, bundle] =
    name === POLICY_BUNDLE ? ['policy', policy] : [`policy.data.${name}`, policy.data[name]]
  return `${path}.${bundle?.service ? 'service' : 'bundle'}`
}
