import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Certified, Pki } from './pki.ts'

interface FetchInit {
  readonly method?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: unknown
}

/** `fetch` for clients that take one: trusts the authority of the test, and shows `client` when one is given. */
export function trustingFetch(
  pki: Pki,
  client?: Certified,
): (url: string, init?: FetchInit) => Promise<Response> {
  return async (url, init = {}) => {
    const outgoing = requestHttps(url, {
      method: init.method ?? 'GET',
      headers: { ...init.headers },
      agent: false,
      ca: pki.ca,
      cert: client?.cert,
      key: client?.key,
    })
    outgoing.end(init.body === undefined || init.body === null ? undefined : textOf(init.body))
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage]
    const chunks = (await incoming.toArray()) as Buffer[]
    const headers = new Headers()
    for (const [name, values] of Object.entries(incoming.headersDistinct)) {
      for (const value of values ?? []) headers.append(name, value)
    }
    const status = incoming.statusCode ?? 500
    return new Response(status === 204 ? null : Buffer.concat(chunks), { status, headers })
  }
}

function textOf(body: unknown): string {
  if (typeof body === 'string') return body
  if (body instanceof URLSearchParams) return body.toString()
  throw new TypeError('only text and forms are sent here')
}
