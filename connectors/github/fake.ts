import { randomUUID, timingSafeEqual } from 'node:crypto'
import { fakeRoute } from '../fake-route.ts'
import type { FakeReply, FakeRequest, FakeRoute } from '../fake-route.ts'
import { redirectOrigin, startFakeServer } from '../fake-server.ts'
import type { Fake, RedirectingFakeOptions } from '../fake-server.ts'
import { contentRoutes } from './fake/contents.ts'
import { downloadRoutes, startDownloadHost } from './fake/downloads.ts'
import { branchRoutes } from './fake/branches.ts'
import { commentRoutes } from './fake/comments.ts'
import { commitRoutes } from './fake/commits.ts'
import { labelRoutes } from './fake/labels.ts'
import { releaseRoutes } from './fake/releases.ts'
import { reviewRoutes } from './fake/reviews.ts'
import { issueRoutes } from './fake/issues.ts'
import { pullRoutes } from './fake/pulls.ts'
import { API_ORIGIN, failure, notFound, ok } from './fake/reply.ts'
import { repositoryRoutes } from './fake/repositories.ts'
import { userShape } from './fake/shapes.ts'
import { createGithubWorld } from './fake/world.ts'
import type { GithubWorld } from './fake/world.ts'

const RATE_LIMIT = 5_000

export interface GithubFake extends Fake {
  /** The second host, which archives, logs and release assets are fetched from. */
  readonly downloads: Fake
  readonly world: GithubWorld
}

/**
 * Starts a stateful stand-in for api.github.com, uploads.github.com and the download host, with the
 * repositories of ZYX Bank. It accepts `token` alone, demands a User-Agent as GitHub does, pages with absolute
 * by-id links, validates with ETags and counts its rate limit down.
 */
export async function startGithubFake(
  options: RedirectingFakeOptions & { readonly token: string },
): Promise<GithubFake> {
  const world = createGithubWorld()
  const { port: _, ...sameHost } = options
  const downloads = await startDownloadHost(world, sameHost)
  let remaining = RATE_LIMIT
  const api = await startFakeServer(
    {
      alias: (path) => byName(world, path),
      guard: (request) => guard(request, options.token),
      routes: [
        ...metaRoutes(world, () => remaining),
        ...downloadRoutes(world, redirectOrigin(downloads, options)),
        ...releaseRoutes(world, redirectOrigin(downloads, options)),
        ...pullRoutes(world),
        ...reviewRoutes(world),
        ...commentRoutes(world),
        ...issueRoutes(world),
        ...labelRoutes(world),
        ...repositoryRoutes(world),
        ...branchRoutes(world),
        ...commitRoutes(world),
        ...contentRoutes(world),
      ],
      notFound,
      headers: (request) => {
        // Asking for the limits, or for a copy that is still valid, costs nothing.
        if (request.path !== '/rate_limit') remaining = Math.max(0, remaining - 1)
        return commonHeaders(remaining)
      },
      validators: true,
    },
    options,
  )
  return {
    ...api,
    downloads,
    world,
    [Symbol.asyncDispose]: async () => {
      await api[Symbol.asyncDispose]()
      await downloads[Symbol.asyncDispose]()
    },
  }
}

/** `/repositories/{id}/…` and `/organizations/{id}/…` are the same resources under their ids. */
function byName(world: GithubWorld, path: string): string {
  const found = /^\/repositories\/(\d+)(\/.*)?$/.exec(path)
  const repository = world.repositories.find(({ id }) => String(id) === found?.[1])
  if (repository !== undefined) return `/repos/${repository.owner}/${repository.name}${found?.[2] ?? ''}`
  return path.replace(/^\/organizations\/810010000\//, '/orgs/zyx/')
}

function guard(request: FakeRequest, token: string): FakeReply | undefined {
  if (request.headers['user-agent'] === undefined) {
    return {
      status: 403,
      body: 'Request forbidden by administrative rules. Please make sure your request has a User-Agent header.\n',
    }
  }
  const authorization = request.headers.authorization
  if (authorization === undefined) return failure(401, 'Requires authentication')
  const presented = /^(?:bearer|token) (\S+)$/i.exec(authorization)?.[1] ?? ''
  return sameText(presented, token) ? undefined : failure(401, 'Bad credentials')
}

function sameText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}

function commonHeaders(remaining: number): Record<string, string> {
  return {
    Server: 'github.com',
    'X-GitHub-Request-Id': randomUUID(),
    'X-GitHub-Media-Type': 'github.v3; format=json',
    'X-GitHub-Api-Version-Selected': '2022-11-28',
    'X-RateLimit-Limit': String(RATE_LIMIT),
    'X-RateLimit-Remaining': String(remaining),
    'X-RateLimit-Used': String(RATE_LIMIT - remaining),
    'X-RateLimit-Reset': String(Math.ceil(Date.now() / 3_600_000) * 3_600),
    'X-RateLimit-Resource': 'core',
    'Cache-Control': 'private, max-age=60, s-maxage=60',
    Vary: 'Accept, Authorization, Cookie, Accept-Encoding',
    'X-Content-Type-Options': 'nosniff',
  }
}

function metaRoutes(world: GithubWorld, remaining: () => number): FakeRoute[] {
  return [
    fakeRoute('GET /', () =>
      ok({ current_user_url: `${API_ORIGIN}/user`, repository_url: `${API_ORIGIN}/repos/{owner}/{repo}` }),
    ),
    fakeRoute('GET /zen', () => ({ status: 200, body: 'Keep it logically awesome.' })),
    fakeRoute('GET /user', () => ok(userShape(world.viewer))),
    fakeRoute('GET /users/{username}', (request) => ok(userShape(request.param('username')))),
    fakeRoute('GET /rate_limit', () => {
      const core = {
        limit: RATE_LIMIT,
        used: RATE_LIMIT - remaining(),
        remaining: remaining(),
        reset: Math.ceil(Date.now() / 3_600_000) * 3_600,
      }
      return ok({ resources: { core, search: { ...core, limit: 30, used: 0, remaining: 30 } }, rate: core })
    }),
  ]
}
