import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { request } from 'node:https'
import type { ClientMetadata, Configuration, Provider } from 'oidc-provider'

/** A public client, as a command line is: authorization code with PKCE, and nothing secret. */
export const PERSON_CLIENT = 'toolgate-cli'
const REDIRECT_URI = 'http://127.0.0.1/signed-in'
const INTERACTION = '/interaction/'

export const personClient: ClientMetadata = {
  client_id: PERSON_CLIENT,
  application_type: 'native',
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code'],
  response_types: ['code'],
  redirect_uris: [REDIRECT_URI],
  id_token_signed_response_alg: 'ES256',
}

/** People are whoever they say they are, and agree to everything: what is tested is what their tokens are taken for. */
export function signInConfiguration(
  provider: () => Provider,
  resource: string,
  scope: string,
): Pick<Configuration, 'findAccount' | 'interactions' | 'loadExistingGrant'> {
  return {
    findAccount: (_ctx, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    interactions: { url: (_ctx, { uid }) => INTERACTION + uid },
    async loadExistingGrant({ oidc: { client, session } }) {
      const grant = new (provider().Grant)({ clientId: client?.clientId, accountId: session?.accountId })
      grant.addOIDCScope(`openid ${scope}`)
      grant.addResourceScope(resource, scope)
      await grant.save()
      return grant
    },
  }
}

/** Signs the person in whom the client named; `false` for a request that is no sign-in. */
export function answerInteraction(
  provider: Provider,
  incoming: IncomingMessage,
  response: ServerResponse,
): boolean {
  if (incoming.url?.startsWith(INTERACTION) !== true) return false
  void provider
    .interactionDetails(incoming, response)
    .then(({ params }) =>
      provider.interactionFinished(incoming, response, {
        login: { accountId: String(params['login_hint']) },
        // A native client has to be agreed to each time.
        consent: {},
      }),
    )
    .catch(() => response.destroy())
  return true
}

/** Goes through authorization code with PKCE as a browser would; answers the access token. */
export async function signIn(
  issuer: string,
  options: {
    readonly ca: string
    readonly person: string
    readonly resource: string
    readonly scope: string
  },
): Promise<string> {
  const verifier = randomBytes(32).toString('base64url')
  const cookies = new Map<string, string>()
  const parameters = {
    client_id: PERSON_CLIENT,
    redirect_uri: REDIRECT_URI,
    response_type: 'code',
    scope: `openid ${options.scope}`,
    resource: options.resource,
    login_hint: options.person,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }
  let url = new URL(`/auth?${new URLSearchParams(parameters).toString()}`, issuer)
  for (let hops = 0; url.origin === issuer; hops += 1) {
    if (hops > 8) throw new Error(`the sign-in goes round: ${url.href}`)
    url = await follow(url, options.ca, cookies)
  }
  const code = url.searchParams.get('code')
  if (code === null) throw new Error(`nobody was signed in: ${url.href}`)
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: PERSON_CLIENT,
    redirect_uri: REDIRECT_URI,
    resource: options.resource,
    code,
    code_verifier: verifier,
  })
  const [text] = await send(new URL('/token', issuer), options.ca, {}, body.toString())
  const { access_token: token } = JSON.parse(text) as { access_token?: string }
  if (token === undefined) throw new Error(`the authorization server gave no token: ${text}`)
  return token
}

async function follow(url: URL, ca: string, cookies: Map<string, string>): Promise<URL> {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const [text, { headers }] = await send(url, ca, cookie === '' ? {} : { cookie })
  for (const line of headers['set-cookie'] ?? []) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
    if (value === '') cookies.delete(name)
    else cookies.set(name, value)
  }
  if (headers.location === undefined) throw new Error(`no redirect from ${url.href}: ${text}`)
  return new URL(headers.location, url)
}

async function send(
  url: URL,
  ca: string,
  headers: Record<string, string>,
  form?: string,
): Promise<[string, IncomingMessage]> {
  const type = form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }
  const method = form === undefined ? 'GET' : 'POST'
  const outgoing = request(url, { ca, agent: false, method, headers: { ...headers, ...type } }).end(form)
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  return [(await response.setEncoding('utf8').toArray()).join(''), response]
}
