import type { ServerResponse } from 'node:http'

export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
}

export function json(status: number, value: unknown): Answer {
  return { status, contentType: 'application/json', body: `${JSON.stringify(value, undefined, 2)}\n` }
}

/** RFC 9457. */
export function problem(
  status: number,
  title: string,
  more: { readonly detail?: string; readonly code?: string; readonly headers?: Answer['headers'] } = {},
): Answer {
  const { headers, ...said } = more
  return {
    status,
    contentType: 'application/problem+json',
    body: JSON.stringify({ type: 'about:blank', title, status, ...said }),
    ...(headers && { headers }),
  }
}

/** No page may frame an answer, run anything in it, read it from elsewhere, or keep it. */
const ALWAYS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
} as const

export function send(
  response: ServerResponse,
  { status, contentType, body, headers }: Answer,
  isLast: boolean,
): void {
  response.writeHead(status, {
    ...ALWAYS,
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    ...(headers as Record<string, string | string[]> | undefined),
    // What is left of a body that nobody wanted must not be read as the next request.
    ...(isLast || !response.req.complete ? { connection: 'close' } : {}),
  })
  response.end(response.req.method === 'HEAD' ? undefined : body)
}
