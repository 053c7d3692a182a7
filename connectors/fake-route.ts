import type { IncomingHttpHeaders } from 'node:http'

/** What a handler of a fake sees of one request; `params` are decoded, `path` is as it was sent. */
export interface FakeRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly param: (name: string) => string
}

/** What a handler answers; an object as `body` is sent as JSON. */
export interface FakeReply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer | object
}

export type FakeHandler = (request: FakeRequest) => FakeReply | Promise<FakeReply>

/**
 * One row of a fake's routing table. In `template`, `{name}` stands for one segment, `{name+}` for the rest of
 * the path and `{base}...{head}` for two parameters in one segment. Rows are tried in order.
 */
export interface FakeRoute {
  readonly method: string
  readonly match: (path: string) => ReadonlyMap<string, string> | undefined
  readonly handle: FakeHandler
}

export function fakeRoute(methodAndTemplate: string, handle: FakeHandler): FakeRoute {
  const [method = '', template = ''] = methodAndTemplate.split(' ')
  const names: string[] = []
  const pattern = template
    .replace(/[.$()*?^|[\]\\]/g, '\\$&')
    .replace(/\{(\w+)(\+?)\}/g, (_, name: string, tail: string) => {
      names.push(name)
      return tail === '' ? '([^/]+?)' : '(.+)'
    })
  const expression = new RegExp(`^${pattern}$`)
  return { method, handle, match: (path) => captures(expression.exec(path), names) }
}

function captures(
  found: RegExpExecArray | null,
  names: readonly string[],
): ReadonlyMap<string, string> | undefined {
  if (found === null) return undefined
  try {
    return new Map(names.map((name, index) => [name, decodeURIComponent(found[index + 1] ?? '')]))
  } catch {
    return undefined
  }
}

/** The body as a JSON object, or undefined where it is anything else. */
export function jsonObject(body: Buffer): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString())
    return isRecord(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Whether the request's media type (parameters aside) is `type`. */
export function hasMediaType(request: FakeRequest, type: string): boolean {
  return (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() === type
}
