import { randomUUID } from 'node:crypto'
import { guardAtlassian, SERVICE_ACCOUNT, SITE_ORIGIN } from '../fake-atlassian.ts'
import { fakeRoute } from '../fake-route.ts'
import type { FakeRoute } from '../fake-route.ts'
import { redirectOrigin, startFakeServer } from '../fake-server.ts'
import type { Fake, RedirectingFakeOptions } from '../fake-server.ts'
import { attachmentRoutes, startMediaHost } from './fake/attachments.ts'
import { commentRoutes } from './fake/comments.ts'
import { issueRoutes } from './fake/issues.ts'
import { searchRoutes } from './fake/search.ts'
import { failure, numberIn, ok } from './fake/reply.ts'
import { projectShape, userShape } from './fake/shapes.ts'
import { createJiraWorld } from './fake/world.ts'
import type { JiraWorld } from './fake/world.ts'

export interface JiraFake extends Fake {
  /** The second host, which attachments are fetched from. */
  readonly media: Fake
  readonly world: JiraWorld
}

/**
 * Starts a stateful stand-in for the Jira Cloud site of ZYX Bank (REST API v3). It accepts `Basic email:token`
 * alone; `email` is `toolgate@zyx.example` unless given.
 */
export async function startJiraFake(
  options: RedirectingFakeOptions & { readonly token: string; readonly email?: string },
): Promise<JiraFake> {
  const world = createJiraWorld()
  const { port: _, ...sameHost } = options
  const media = await startMediaHost(world, sameHost)
  const site = await startFakeServer(
    {
      guard: (request) => guardAtlassian(request, options.email ?? SERVICE_ACCOUNT.email, options.token),
      routes: [
        ...siteRoutes(world),
        ...attachmentRoutes(world, redirectOrigin(media, options)),
        ...commentRoutes(world),
        ...issueRoutes(world),
        ...searchRoutes(world),
      ],
      notFound: (request) => failure(404, [`No endpoint ${request.method} ${request.path}.`]),
      headers: () => ({
        Server: 'AtlassianEdge',
        'Atl-Request-Id': randomUUID(),
        'Cache-Control': 'no-cache, no-store, no-transform',
        'X-RateLimit-Limit': '350',
        'X-RateLimit-Remaining': '349',
        Vary: 'Accept-Encoding',
      }),
    },
    options,
  )
  return {
    ...site,
    media,
    world,
    [Symbol.asyncDispose]: async () => {
      await site[Symbol.asyncDispose]()
      await media[Symbol.asyncDispose]()
    },
  }
}

function siteRoutes(world: JiraWorld): FakeRoute[] {
  return [
    fakeRoute('GET /rest/api/3/myself', () => ok({ ...userShape(), locale: 'en_GB' })),
    fakeRoute('GET /rest/api/3/serverInfo', () =>
      ok({
        baseUrl: SITE_ORIGIN,
        deploymentType: 'Cloud',
        version: '1001.0.0',
        versionNumbers: [1001, 0, 0],
        buildNumber: 100290,
        serverTitle: 'ZYX Bank Jira',
      }),
    ),
    fakeRoute('GET /rest/api/3/project/search', (request) => {
      const startAt = numberIn(request.query, 'startAt', 0, Number.MAX_SAFE_INTEGER)
      const maxResults = numberIn(request.query, 'maxResults', 50, 100)
      const page = world.projects.slice(startAt, startAt + maxResults)
      const self = `${SITE_ORIGIN}/rest/api/3/project/search?startAt=${startAt}&maxResults=${maxResults}`
      return ok({
        self,
        startAt,
        maxResults,
        total: world.projects.length,
        isLast: startAt + maxResults >= world.projects.length,
        values: page.map(projectShape),
      })
    }),
    fakeRoute('GET /rest/api/3/project/{project}', (request) => {
      const found = world.projects.find(
        ({ id, key }) => key === request.param('project') || id === request.param('project'),
      )
      return found === undefined
        ? failure(404, [`No project could be found with key '${request.param('project')}'.`])
        : ok(projectShape(found))
    }),
  ]
}
