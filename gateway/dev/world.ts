import { randomBytes } from 'node:crypto'
import { startConfluenceFake } from '../../connectors/confluence/fake.ts'
import { startGithubFake } from '../../connectors/github/fake.ts'
import { startJiraFake } from '../../connectors/jira/fake.ts'
import { startSlackFake } from '../../connectors/slack/fake.ts'
import { startIssuer } from './issuer.ts'

export const VENDORS = ['github', 'jira', 'confluence', 'slack'] as const
export type Vendor = (typeof VENDORS)[number]

/** Ports of the stand-ins; 0 lets the system choose. */
export type WorldPorts = Readonly<Record<Vendor | 'issuer', number>>

export const ANY_PORTS: WorldPorts = { issuer: 0, github: 0, jira: 0, confluence: 0, slack: 0 }

export interface WorldOptions {
  readonly ports: WorldPorts
  /** Origin of the gateway, which tokens of agents are issued for. */
  readonly audience: string
  /** Origin of its admin listener, which tokens of people are issued for. */
  readonly adminAudience: string
  /** Secrets that the stand-ins demand; random where absent. */
  readonly tokens?: Partial<Readonly<Record<Vendor, string>>>
}

export interface World extends AsyncDisposable {
  readonly issuer: string
  readonly origins: Readonly<Record<Vendor, string>>
  /** Variables that point a gateway's configuration at this world: overrides and credentials. */
  readonly environment: Readonly<Record<string, string>>
}

/** Starts the issuer and the four vendors' stand-ins on loopback, with the ZYX Bank scenario in them. */
export async function startWorld({
  ports,
  audience,
  adminAudience,
  tokens = {},
}: WorldOptions): Promise<World> {
  const stack = new AsyncDisposableStack()
  try {
    const tokenOf = (vendor: Vendor): string => tokens[vendor] ?? randomBytes(24).toString('base64url')
    const secrets = {
      github: tokenOf('github'),
      jira: tokenOf('jira'),
      confluence: tokenOf('confluence'),
      slack: tokenOf('slack'),
    }
    const issuer = stack.use(await startIssuer({ port: ports.issuer, audience, adminAudience }))
    const github = stack.use(await startGithubFake({ port: ports.github, token: secrets.github }))
    const jira = stack.use(await startJiraFake({ port: ports.jira, token: secrets.jira }))
    const confluence = stack.use(
      await startConfluenceFake({ port: ports.confluence, token: secrets.confluence }),
    )
    const slack = stack.use(await startSlackFake({ port: ports.slack, token: secrets.slack }))
    const origins = {
      github: github.origin,
      jira: jira.origin,
      confluence: confluence.origin,
      slack: slack.origin,
    }
    const owned = stack.move()
    return {
      issuer: issuer.origin,
      origins,
      environment: environmentOf(issuer.origin, { audience, adminAudience }, origins, secrets),
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

function environmentOf(
  issuer: string,
  { audience, adminAudience }: Pick<WorldOptions, 'audience' | 'adminAudience'>,
  origins: World['origins'],
  secrets: Readonly<Record<Vendor, string>>,
): Record<string, string> {
  const issuerFor = (one: string) => [
    { issuer, audiences: [one], jwks: { uri: `${issuer}/jwks` }, algorithms: ['ES256'] },
  ]
  const environment: Record<string, string> = {
    TOOLGATE__IDENTITY__ISSUERS: JSON.stringify(issuerFor(audience)),
    TOOLGATE__LISTEN__ADMIN__PEOPLE__ISSUERS: JSON.stringify(issuerFor(adminAudience)),
  }
  for (const vendor of VENDORS) {
    const name = vendor.toUpperCase()
    environment[`TOOLGATE__CONNECTORS__${name}__ORIGIN`] = origins[vendor]
    environment[`TOOLGATE_DEV_${name}_TOKEN`] = secrets[vendor]
  }
  return environment
}
