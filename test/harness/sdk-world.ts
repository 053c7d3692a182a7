import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { createDpopKey } from '../../gateway/dev/proof.ts'
import { createSigningFetch, installFetch } from '../../gateway/dev/signing-fetch.ts'
import { startTestGateway, type TestGateway } from './gateway.ts'
import { compileRules } from './opa.ts'
import { createPki } from './pki.ts'
import { startRedis } from './redis.ts'

/** A gateway over TLS, with Redis, and a process-wide `fetch` that signs for its SDKs. */
export interface SdkWorld extends AsyncDisposable {
  readonly toolgate: TestGateway
  /** Requests that reached the gateway since the last `take`: method and path below the origin. */
  takeRequests(): string[]
}

/** Denied by the policy of this world, whatever else it allows. */
export const DENIED = ['github.pulls/merge', 'slack.chat.delete', 'jira.deleteIssue', 'confluence.deletePage']

/** Allowed once in two minutes. */
export const ALLOWED_ONCE = [
  'github.repos/get',
  'slack.users.info',
  'jira.getCurrentUser',
  'confluence.getSpaces',
]

const RULES = `
denied contains reason if input.agent.id == ""
denied contains reason if input.operation.id in ${JSON.stringify(DENIED)}

reason := {"code": "operation.not_granted", "rule": "R020", "detail": ""}

decision := {"allow": count(denied) == 0, "risk": 0, "reasons": denied, "obligations": []}
`

/** `dpop` is that section of the gateway's settings, such as one that demands nonces; `rules` decide in place of its own. */
export async function startSdkWorld(
  dpop: Readonly<Record<string, unknown>> = {},
  rules = RULES,
): Promise<SdkWorld> {
  await using stack = new AsyncDisposableStack()
  const pki = stack.use(createPki())
  const redis = stack.use(await startRedis())
  const toolgate = stack.use(
    await startTestGateway({
      pki,
      redisUrl: redis.url,
      bundle: await compileRules(rules),
      settings: {
        identity: { dpop },
        limits: {
          rates: [
            {
              name: 'once',
              by: ['agent', 'operation'],
              match: { operations: ALLOWED_ONCE },
              calls: 1,
              windowMs: 120_000,
              burst: 1,
            },
          ],
        },
      },
    }),
  )
  const trusted = getCACertificates('default')
  setDefaultCACertificates([...trusted, pki.ca])
  stack.defer(() => setDefaultCACertificates(trusted))

  const key = await createDpopKey()
  let requests: string[] = []
  const signing = createSigningFetch({
    gateway: toolgate.origin,
    key,
    accessToken: async () => toolgate.token({ jkt: key.thumbprint }),
    onReply: ({ method, url }) => void requests.push(`${method} ${url.pathname}${url.search}`),
  })
  stack.use(installFetch(signing))
  const owned = stack.move()
  return {
    toolgate,
    takeRequests: () => {
      const taken = requests
      requests = []
      return taken
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
