import type { FakeHandler, FakeReply, FakeRequest } from '../../fake-route.ts'
import { WIKI } from './shapes.ts'
import type { ConfluencePage, ConfluenceWorld } from './world.ts'

/** Runs a handler with the page that the path names. */
export function onPage(
  world: ConfluenceWorld,
  handle: (request: FakeRequest, page: ConfluencePage) => FakeReply,
): FakeHandler {
  return (request) => {
    const page = world.pages.get(request.param('id'))
    return page === undefined ? v2NotFound() : handle(request, page)
  }
}

/** The error body of v2. */
export function v2Failure(status: number, code: string, title: string): FakeReply {
  return { status, body: { errors: [{ status, code, title, detail: null }] } }
}

export function v2NotFound(): FakeReply {
  return v2Failure(404, 'NOT_FOUND', 'Not Found')
}

/** Both forms of a list in a query: repeated, and with commas. */
export function listed(request: FakeRequest, name: string): string[] {
  return request.query.getAll(name).flatMap((value) => value.split(','))
}

/** One page of results; the next one is named by cursor, in the body and in the `Link` header, relative to the site. */
export function paged(request: FakeRequest, items: readonly object[]): FakeReply {
  const limit = Math.min(Number(request.query.get('limit') ?? 25), 250)
  const start = Number(Buffer.from(request.query.get('cursor') ?? '', 'base64url').toString() || 0)
  if (!Number.isInteger(limit) || limit < 1 || !Number.isInteger(start))
    return v2Failure(400, 'INVALID_REQUEST_PARAMETER', 'Provided value is not valid')
  const end = start + limit
  const next = new URLSearchParams(request.query)
  next.set('limit', String(limit))
  next.set('cursor', Buffer.from(String(end)).toString('base64url'))
  const link = `${request.path}?${next.toString()}`
  const more = end < items.length
  return {
    status: 200,
    headers: more ? { Link: `<${link}>; rel="next", <${WIKI}>; rel="base"` } : {},
    body: { results: items.slice(start, end), _links: { ...(more ? { next: link } : {}), base: WIKI } },
  }
}
