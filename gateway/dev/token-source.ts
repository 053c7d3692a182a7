import { createProof, demandedNonce } from './proof.ts'
import type { DpopKey } from './proof.ts'

/** A token is not used in its last seconds, so that none expires on the way. */
const RENEW_BEFORE_MS = 30_000

export interface TokenSourceOptions {
  readonly issuer: string
  readonly key: DpopKey
  /** Name of a persona of the development issuer. */
  readonly persona: string
  readonly fetch?: typeof fetch
}

/** Gets access tokens by `client_credentials` with DPoP, keeps one until shortly before it expires, asks once at a time. */
export function createTokenSource(options: TokenSourceOptions): () => Promise<string> {
  let current: { readonly token: string; readonly expiresAtMs: number } | undefined
  let pending: Promise<string> | undefined
  const renew = async (): Promise<string> => {
    const { token, lifetimeMs } = await requestToken(options)
    current = { token, expiresAtMs: Date.now() + lifetimeMs }
    return token
  }
  return () => {
    if (current !== undefined && current.expiresAtMs - RENEW_BEFORE_MS > Date.now())
      return Promise.resolve(current.token)
    pending ??= renew().finally(() => {
      pending = undefined
    })
    return pending
  }
}

/**
 * The first authorization server that a protected resource names in its metadata (RFC 9728 §3).
 * @throws Error when nothing answers at `resource`, or when it names none.
 */
export async function discoverIssuer(resource: string, fetchFn: typeof fetch = fetch): Promise<string> {
  const url = new URL('/.well-known/oauth-protected-resource', resource)
  const reply = await fetchFn(url).catch((cause: unknown) => {
    throw new Error(`no gateway answers at ${resource}; start one with: npm start`, { cause })
  })
  const metadata: unknown = reply.ok ? await reply.json() : {}
  const servers =
    isObject(metadata) && Array.isArray(metadata['authorization_servers'])
      ? metadata['authorization_servers']
      : []
  const issuer: unknown = servers[0]
  if (typeof issuer !== 'string')
    throw new Error(`${url.href} names no authorization server (status ${reply.status})`)
  return issuer
}

async function requestToken(options: TokenSourceOptions): Promise<{ token: string; lifetimeMs: number }> {
  const fetchFn = options.fetch ?? fetch
  const url = await tokenEndpoint(options.issuer, fetchFn)
  const send = async (nonce?: string): Promise<Response> =>
    fetchFn(url, {
      method: 'POST',
      headers: { DPoP: await createProof(options.key, { method: 'POST', url, nonce }) },
      body: new URLSearchParams({ grant_type: 'client_credentials', persona: options.persona }),
    })
  let reply = await send()
  const nonce = await demandedNonce(reply)
  if (nonce !== undefined) reply = await send(nonce)
  const body: unknown = await reply.json()
  if (!isObject(body) || typeof body['access_token'] !== 'string' || typeof body['expires_in'] !== 'number') {
    const reason =
      isObject(body) && typeof body['error_description'] === 'string'
        ? body['error_description']
        : `status ${reply.status}`
    throw new Error(`the issuer gave no token for ${options.persona}: ${reason}`)
  }
  return { token: body['access_token'], lifetimeMs: body['expires_in'] * 1000 }
}

/** A token of a person of the development issuer, for the admin listener. */
export async function requestPersonToken(
  issuer: string,
  person: string,
  fetchFn: typeof fetch = fetch,
): Promise<string> {
  const reply = await fetchFn(await tokenEndpoint(issuer, fetchFn), {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', person }),
  })
  const body: unknown = await reply.json()
  if (isObject(body) && typeof body['access_token'] === 'string') return body['access_token']
  throw new Error(`the issuer gave no token for ${person}: status ${reply.status}`)
}

/** RFC 8414 §3. */
async function tokenEndpoint(issuer: string, fetchFn: typeof fetch): Promise<URL> {
  const reply = await fetchFn(new URL('/.well-known/oauth-authorization-server', issuer)).catch(
    (cause: unknown) => {
      throw new Error(`no issuer answers at ${issuer}`, { cause })
    },
  )
  const metadata: unknown = await reply.json()
  if (
    !isObject(metadata) ||
    metadata['issuer'] !== issuer ||
    typeof metadata['token_endpoint'] !== 'string'
  ) {
    throw new Error(`${issuer} is not the issuer that its metadata names`)
  }
  return new URL(metadata['token_endpoint'])
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
