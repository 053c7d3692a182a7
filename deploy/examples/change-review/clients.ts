import { Octokit } from '@octokit/rest'
import { LogLevel, WebClient } from '@slack/web-api'
import { createV2Client } from 'confluence.js'
import { createCloudClient } from 'jira.js'

/** Where each vendor's API is found; through Toolgate, only these change. */
export interface BaseUrls {
  readonly github: string
  readonly jira: string
  readonly confluence: string
  readonly slack: string
}

/** What an agent without a gateway would authenticate with; behind one, it holds no vendor's credential. */
export interface Credentials {
  readonly github: string
  readonly atlassian: { readonly email: string; readonly apiToken: string }
  readonly slack: string
}

export interface Clients {
  readonly github: Octokit
  readonly jira: ReturnType<typeof createCloudClient>
  readonly confluence: ReturnType<typeof createV2Client>
  readonly slack: WebClient
}

/** Base URLs below one gateway, with the path prefixes of its connectors. */
export function belowGateway(gateway: string): BaseUrls {
  return {
    github: `${gateway}/github`,
    jira: `${gateway}/jira`,
    confluence: `${gateway}/confluence`,
    slack: `${gateway}/slack/api/`,
  }
}

/** The vendors' own SDKs, as their manuals set them up. All of them use the process-wide `fetch`. */
export function createClients(baseUrls: BaseUrls, credentials?: Credentials): Clients {
  const auth = credentials === undefined ? {} : { auth: { type: 'basic' as const, ...credentials.atlassian } }
  return {
    github: new Octokit({
      baseUrl: baseUrls.github,
      userAgent: 'zyx-change-review',
      // Octokit would print each failed request beside throwing it.
      log: { debug: () => {}, info: () => {}, warn: console.warn, error: () => {} },
      ...(credentials === undefined ? {} : { auth: credentials.github }),
    }),
    jira: createCloudClient({ host: baseUrls.jira, ...auth }),
    confluence: createV2Client({ host: baseUrls.confluence, ...auth }),
    slack: new WebClient(credentials?.slack, {
      slackApiUrl: baseUrls.slack,
      logLevel: LogLevel.ERROR,
      rejectRateLimitedCalls: true,
      // The default is ten retries over half an hour, in which nobody would know what the agent waits for.
      retryConfig: { retries: 2, minTimeout: 200 },
    }),
  }
}
