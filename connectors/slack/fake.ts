import { randomUUID, timingSafeEqual } from 'node:crypto'
import { fakeRoute, hasMediaType } from '../fake-route.ts'
import type { FakeReply, FakeRequest } from '../fake-route.ts'
import { startFakeServer } from '../fake-server.ts'
import type { Fake, FakeOptions } from '../fake-server.ts'
import { isReply, readArguments, slackError } from './fake/arguments.ts'
import { uploadRoute } from './fake/files.ts'
import { SLACK_METHODS } from './fake/methods.ts'
import { createSlackWorld } from './fake/world.ts'
import type { SlackWorld } from './fake/world.ts'

export interface SlackFake extends Fake {
  readonly world: SlackWorld
}

/**
 * Starts a stateful stand-in for slack.com/api and files.slack.com with the workspace of ZYX Bank. It accepts
 * `token` alone, in `Authorization` or as the argument `token`, and refuses a call whose two tokens differ.
 */
export async function startSlackFake(options: FakeOptions & { readonly token: string }): Promise<SlackFake> {
  const world = createSlackWorld()
  const call = (request: FakeRequest): FakeReply => callMethod(world, request, options.token)
  const fake = await startFakeServer(
    {
      routes: [
        fakeRoute('POST /api/{method}', call),
        fakeRoute('GET /api/{method}', call),
        uploadRoute(world),
      ],
      notFound: () => ({ status: 404, body: 'not found' }),
      headers: (request) => ({
        Server: 'Apache',
        'X-Slack-Req-Id': randomUUID().replaceAll('-', ''),
        'X-OAuth-Scopes': 'chat:write,channels:read,channels:history,files:write,reactions:write,users:read',
        'X-Accepted-OAuth-Scopes': request.path.startsWith('/api/chat.') ? 'chat:write' : '',
        'Cache-Control': 'private, no-cache, no-store, must-revalidate',
        Vary: 'Accept-Encoding',
      }),
    },
    options,
  )
  return { ...fake, world }
}

function callMethod(world: SlackWorld, request: FakeRequest, token: string): FakeReply {
  const method = SLACK_METHODS.get(request.param('method'))
  if (method === undefined) return slackError('unknown_method', { req_method: request.param('method') })
  const input = readArguments(request)
  if (isReply(input)) return input
  const inHeader = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  const inBody = input.text('token')
  if (inHeader === undefined && inBody === undefined) return slackError('not_authed')
  const presented = [inHeader, inBody].filter((each) => each !== undefined)
  if (!presented.every((each) => sameText(each, token))) return slackError('invalid_auth')
  return warned(request, method(world, input))
}

function sameText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}

/** Slack warns of a JSON body whose Content-Type names no charset. */
function warned(request: FakeRequest, reply: FakeReply): FakeReply {
  if (!hasMediaType(request, 'application/json') || /charset/i.test(request.headers['content-type'] ?? ''))
    return reply
  const body = typeof reply.body === 'object' && !Buffer.isBuffer(reply.body) ? reply.body : {}
  return {
    ...reply,
    body: { ...body, warning: 'missing_charset', response_metadata: { warnings: ['missing_charset'] } },
  }
}
