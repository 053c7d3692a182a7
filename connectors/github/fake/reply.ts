import type { FakeReply, FakeRequest } from '../../fake-route.ts'
import { jsonObject } from '../../fake-route.ts'
import type { GithubWorld, Issue, Pull, Repository } from './world.ts'

export const API_ORIGIN = 'https://api.github.com'

export function ok(body: object): FakeReply {
  return { status: 200, body }
}

export function created(body: object & { url?: unknown }): FakeReply {
  return { status: 201, body, ...(typeof body.url === 'string' ? { headers: { Location: body.url } } : {}) }
}

export const NO_CONTENT: FakeReply = { status: 204 }

/** GitHub's error body; `documentation_url` and the status as a string are always there. */
export function failure(status: number, message: string, more: object = {}): FakeReply {
  return {
    status,
    body: { message, ...more, documentation_url: 'https://docs.github.com/rest', status: String(status) },
  }
}

export function notFound(): FakeReply {
  return failure(404, 'Not Found')
}

/** 422 with one entry of `errors`, as for a missing or unusable field. */
export function unprocessable(
  resource: string,
  field: string,
  code: 'missing_field' | 'invalid' | 'already_exists',
): FakeReply {
  return failure(422, 'Validation Failed', { errors: [{ resource, code, field }] })
}

type InRepository = (request: FakeRequest, repository: Repository) => FakeReply

/** Runs a handler with the repository that the path names. */
export function inRepository(world: GithubWorld, handle: InRepository): (request: FakeRequest) => FakeReply {
  return (request) => {
    const found = world.repositories.find(
      (repository) =>
        repository.owner === request.param('owner') && repository.name === request.param('repo'),
    )
    return found === undefined ? notFound() : handle(request, found)
  }
}

/** Runs a handler with the issue or pull request that `{number}` names. */
export function withIssue(
  handle: (request: FakeRequest, repository: Repository, issue: Issue) => FakeReply,
): InRepository {
  return (request, repository) => {
    const issue = repository.issues.get(Number(request.param('number')))
    return issue === undefined ? notFound() : handle(request, repository, issue)
  }
}

/** Runs a handler with the pull request that `{number}` names. */
export function onPull(
  world: GithubWorld,
  handle: (request: FakeRequest, repository: Repository, issue: Issue, pull: Pull) => FakeReply,
): (request: FakeRequest) => FakeReply {
  return inRepository(
    world,
    withIssue((request, repository, issue) =>
      issue.pull === undefined ? notFound() : handle(request, repository, issue, issue.pull),
    ),
  )
}

/** Runs a handler with the body as an object; GitHub reads it as JSON whatever its Content-Type says. */
export function withBody(
  request: FakeRequest,
  handle: (body: Readonly<Record<string, unknown>>) => FakeReply,
): FakeReply {
  if (request.body.length === 0) return handle({})
  const body = jsonObject(request.body)
  return body === undefined ? failure(400, 'Problems parsing JSON') : handle(body)
}

/** One page of `items`, with GitHub's absolute `Link` header in its by-id form. */
export function paged<T>(
  request: FakeRequest,
  idPath: string,
  items: readonly T[],
  render: (item: T) => object,
  wrap: (page: object[]) => object = (page) => page,
): FakeReply {
  const perPage = Math.min(positive(request.query.get('per_page')) ?? 30, 100)
  const page = positive(request.query.get('page')) ?? 1
  const last = Math.max(1, Math.ceil(items.length / perPage))
  const rows = items.slice((page - 1) * perPage, page * perPage).map(render)
  const links = [
    ...(page > 1 ? [link(request, idPath, page - 1, 'prev'), link(request, idPath, 1, 'first')] : []),
    ...(page < last ? [link(request, idPath, page + 1, 'next'), link(request, idPath, last, 'last')] : []),
  ]
  return { ...ok(wrap(rows)), ...(links.length === 0 ? {} : { headers: { Link: links.join(', ') } }) }
}

function link(request: FakeRequest, idPath: string, page: number, rel: string): string {
  const query = new URLSearchParams(request.query)
  query.set('page', String(page))
  return `<${API_ORIGIN}${idPath}?${query.toString()}>; rel="${rel}"`
}

function positive(text: string | null): number | undefined {
  const value = Number(text)
  return Number.isInteger(value) && value > 0 ? value : undefined
}

/** Whether the caller asked for one of GitHub's own media types, such as `diff` or `raw`. */
export function accepts(request: FakeRequest, format: string): boolean {
  return new RegExp(`application/vnd\\.github\\.(v3\\.)?${format}\\b`).test(request.headers.accept ?? '')
}

/** A string field of a body, or undefined where it is absent or something else. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
