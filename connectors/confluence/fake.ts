import { randomUUID } from 'node:crypto'
import { guardAtlassian, SERVICE_ACCOUNT } from '../fake-atlassian.ts'
import { redirectOrigin, startFakeServer } from '../fake-server.ts'
import type { Fake, RedirectingFakeOptions } from '../fake-server.ts'
import { startMediaHost, v1Failure, v1Routes } from './fake/v1.ts'
import { v2Failure } from './fake/v2-reply.ts'
import { v2Routes } from './fake/v2.ts'
import { createConfluenceWorld } from './fake/world.ts'
import type { ConfluenceWorld } from './fake/world.ts'

export interface ConfluenceFake extends Fake {
  /** The second host, which attachments are fetched from. */
  readonly media: Fake
  readonly world: ConfluenceWorld
}

/**
 * Starts a stateful stand-in for the Confluence Cloud site of ZYX Bank (REST API v2, and what is left of v1).
 * It accepts `Basic email:token` alone; `email` is `toolgate@zyx.example` unless given.
 */
export async function startConfluenceFake(
  options: RedirectingFakeOptions & { readonly token: string; readonly email?: string },
): Promise<ConfluenceFake> {
  const world = createConfluenceWorld()
  const { port: _, ...sameHost } = options
  const media = await startMediaHost(world, sameHost)
  const site = await startFakeServer(
    {
      guard: (request) => guardAtlassian(request, options.email ?? SERVICE_ACCOUNT.email, options.token),
      routes: [...v2Routes(world), ...v1Routes(world, redirectOrigin(media, options))],
      notFound: (request) =>
        request.path.startsWith('/wiki/api/v2/')
          ? v2Failure(404, 'NOT_FOUND', 'Not Found')
          : v1Failure(404, `No endpoint ${request.method} ${request.path}`),
      headers: () => ({
        Server: 'AtlassianEdge',
        'Atl-Request-Id': randomUUID(),
        'Cache-Control': 'no-cache, no-store, no-transform',
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
