import { request as httpRequest } from 'node:http'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Admin } from '../../gateway/admin/admin.ts'
import { openAdmin } from '../../gateway/admin/open-admin.ts'
import { APPROVAL_RULES } from '../harness/approval-rules.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'
import { type RunningRedis, startRedis } from '../harness/redis.ts'
import type { Answer } from '../harness/send.ts'
import {
  REVIEW_CHANNEL,
  SLACK_ENVIRONMENT,
  buttonsOf,
  click,
  slackSettings,
  startSlackWorkspace,
  type SlackRequest,
  type SlackWorkspace,
} from '../harness/slack-workspace.ts'
import { until } from '../harness/until.ts'

/** Two gateways of one fleet, each with its admin listener, and one Slack. */
let redis: RunningRedis
let slack: SlackWorkspace
let gateways: readonly TestGateway[]
let admins: readonly Admin[]

beforeAll(async () => {
  redis = await startRedis()
  slack = await startSlackWorkspace()
  const bundle = await compileRules(APPROVAL_RULES)
  const environment = SLACK_ENVIRONMENT
  const settings = {
    notify: {
      slack: slackSettings(slack, {
        U0OMAR: { person: 'omar@zyx.example', groups: ['change-approvers'] },
        U0DANA: { person: 'dana@zyx.example', groups: ['change-approvers'] },
      }),
      targets: { review: { groups: ['change-approvers'], slack: { channel: REVIEW_CHANNEL } } },
    },
  }
  const start = () => startTestGateway({ bundle, environment, settings, redisUrl: redis.url })
  gateways = [await start(), await start()]
  const surroundings = { environment, complain: () => undefined }
  admins = await Promise.all(
    gateways.map(({ gateway, loaded }) => {
      const admin = { ...loaded.listen.admin, port: 0 }
      const sources = { ...gateway, readiness: () => ({}), status: () => ({}), config: () => ({}) }
      return openAdmin({ ...loaded, listen: { ...loaded.listen, admin } }, surroundings, sources)
    }),
  )
})
afterAll(async () => {
  for (const part of [...admins, ...gateways, slack, redis]) await part[Symbol.asyncDispose]()
})

/** As a proxy passes it on to the admin listener of one of the gateways. */
function post({ path, headers, body }: SlackRequest, at: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const target = { host: '127.0.0.1', port: admins[at]?.port, path: `/channels/${path}`, method: 'POST' }
  httpRequest({ ...target, headers: { ...headers, host: 'toolgate.zyx.example' } }, (response) => {
    response.resume().on('end', () => resolve(response.statusCode ?? 0))
  })
    .on('error', reject)
    .end(body)
  return promise
}

/** A comment that waits for people, at the first gateway. */
function comment(text: string): Promise<Answer> {
  const headers = { 'content-type': 'application/json', prefer: 'wait=20' }
  const target = '/github/repos/zyx/platform-infra/issues/991/comments'
  return (gateways[0] as TestGateway).send('POST', target, { headers, body: JSON.stringify({ body: text }) })
}

async function messageAbout(text: string) {
  const find = () => slack.messages().find((message) => slack.shown(message).includes(text))
  await until(() => find() !== undefined)
  const message = find()
  if (message === undefined) throw new Error('no message')
  return message
}

it('a click at another gateway lets the call go on that waits at the first, and is taken once in the fleet', async () => {
  const held = comment('merge it, please')
  const message = await messageAbout('merge it, please')
  const yes = click(message, 'Approve')
  expect(await post(yes, 1)).toBe(200)
  expect(await held).toMatchObject({ status: 201, decision: 'allow' })
  expect(await post(yes, 0)).toBe(409)
  await until(() => slack.shown(message).includes('Approved and used'))
  expect(buttonsOf(message).size).toBe(0)
  const told = (await Promise.all(gateways.map((each) => each.records()))).flat()
  const states = told.flatMap((entry) => (entry.type === 'approval' ? [entry.state] : []))
  expect(states.sort()).toEqual(['approved', 'consumed', 'requested', 'voted'])
})

it('a no ends the call, and a click of whose call it is does not count', async () => {
  const held = comment('another one')
  const message = await messageAbout('another one')
  expect(await post(click(message, 'Approve', { user: 'U0DANA' }), 0)).toBe(200)
  expect(slack.told('U0DANA')).toEqual([expect.stringContaining('somebody else has to decide')])
  expect(await post(click(message, 'Deny'), 0)).toBe(200)
  expect(await held).toMatchObject({ status: 403, code: 'approval.denied' })
})
