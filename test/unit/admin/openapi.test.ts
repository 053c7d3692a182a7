import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adminDescription } from '../../../gateway/admin/openapi.ts'
import { controlRoutesOf } from '../../../gateway/control-routes.ts'
import { createControlPlane } from '../../../gateway/control/control-plane.ts'
import type { Generation } from '../../../gateway/generation.ts'
import type { Lasting } from '../../../gateway/lasting.ts'
import { systemClock } from '../../../gateway/lib/clock.ts'
import { slackRoutes, type SlackRoutesOptions } from '../../../gateway/notify/slack/slack-routes.ts'
import { webhookVotesRoute, type WebhookVotesOptions } from '../../../gateway/notify/webhook-votes.ts'
import { startTestAdmin, type TestAdmin } from '../../harness/admin.ts'
import { type Issuer, startIssuer } from '../../harness/issuer.ts'

const METHODS = ['get', 'post', 'delete'] as const
const AN_ID = '0199a1b2-0000-7000-8000-000000000000'

// Nothing is asked of the parts here: a route names itself.
const nothing = { approvals: { service: {} }, lockService: {}, locks: {} } as Lasting
const controlRoutes = controlRoutesOf(nothing, () => ({}) as Generation, systemClock)
const channelRoutes = [...slackRoutes({} as SlackRoutesOptions), webhookVotesRoute({} as WebhookVotesOptions)]

const described = Object.entries(adminDescription.paths).flatMap(([path, item]) =>
  METHODS.filter((method) => method in item).map((method) => `${method.toUpperCase()} ${path}`),
)

it('describes every route of people and channels, and none of them that is not there', () => {
  const routes = [
    ...controlRoutes.map(({ method, pattern }) => `${method} /admin/v1/${pattern}`),
    ...channelRoutes.map(({ path }) => `POST /channels/${path}`),
  ]
  const own = /^GET \/(?:\.well-known\/|health|readyz|metrics|admin\/v1\/(?:status|config|openapi\.json)$)/
  expect(described.filter((name) => !own.test(name)).sort()).toEqual(routes.sort())
})

it('refers to each of its schemas, and to none that it does not have', () => {
  const { schemas } = adminDescription.components
  const named = JSON.stringify(adminDescription).matchAll(/"#\/components\/schemas\/(\w+)"/g)
  expect(new Set([...named].map(([, name]) => name))).toEqual(new Set(Object.keys(schemas)))
})

describe('at the listener', () => {
  let issuer: Issuer
  let admin: TestAdmin
  beforeAll(async () => {
    issuer = await startIssuer()
    const { algorithms, jwks, clockSkewMs } = issuer.config
    const people = {
      issuer: issuer.issuer,
      audiences: ['https://admin.zyx.example'],
      algorithms,
      jwks,
      claims: { id: 'sub', groups: 'groups' },
      requiredScopes: [],
      clockSkewMs,
    }
    // The real patterns, and nothing behind them.
    const plane = createControlPlane({
      routes: controlRoutes.map((route) => ({ ...route, answer: () => ({ status: 200, body: {} }) })),
      channels: channelRoutes.map((route) => ({
        ...route,
        answer: () => ({ status: 200, contentType: 'text/plain', body: '' }),
      })),
      onFault: () => undefined,
    })
    admin = await startTestAdmin(
      { people: { issuers: [people], certificates: [], operatorGroups: [], barred: [] } },
      plane,
    )
  })
  afterAll(async () => {
    await admin[Symbol.asyncDispose]()
    await issuer[Symbol.asyncDispose]()
  })

  it.each(described)('%s is there, as the description says', async (name) => {
    const [method = '', path = ''] = name.split(' ')
    const url = `http://127.0.0.1:${admin.port}${path.replace('{id}', AN_ID)}`
    expect((await fetch(url, { method })).status).toBe(200)
  })
})

it('says of everything but health and channels who may ask, and that others are refused', () => {
  for (const [path, item] of Object.entries(adminDescription.paths)) {
    if (/^\/(?:health|ready|channels|\.well-known)/.test(path)) continue
    for (const operation of Object.values(item)) {
      if (!('responses' in operation)) continue
      expect(operation).toHaveProperty('security')
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['401', '403']))
    }
  }
})
