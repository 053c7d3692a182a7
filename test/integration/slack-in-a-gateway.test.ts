import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'
import { ALLOW_EVERYTHING } from '../harness/permissive-rules.ts'
import {
  REVIEW_CHANNEL,
  SLACK_ENVIRONMENT,
  SLACK_SECRET,
  SLACK_TOKEN,
  slackSettings,
  slashCommand,
  startSlackWorkspace,
  type SlackRequest,
  type SlackWorkspace,
} from '../harness/slack-workspace.ts'
import { until } from '../harness/until.ts'

let slack: SlackWorkspace
let toolgate: TestGateway

beforeAll(async () => {
  slack = await startSlackWorkspace()
  toolgate = await startTestGateway({
    bundle: await compileRules(ALLOW_EVERYTHING),
    environment: SLACK_ENVIRONMENT,
    settings: {
      notify: {
        slack: {
          ...slackSettings(slack, {
            U0OMAR: { person: 'omar@zyx.example', groups: ['kill-switch'] },
            U0NIA: { person: 'nia@zyx.example', groups: ['kill-switch'] },
            U0IDA: { person: 'ida@zyx.example', groups: ['devsecops-change-review'] },
          }),
          lockGroups: ['kill-switch'],
        },
        targets: { review: { slack: { channel: REVIEW_CHANNEL } } },
      },
    },
  })
})
afterAll(async () => {
  await toolgate[Symbol.asyncDispose]()
  await slack[Symbol.asyncDispose]()
})

const post = async ({ path, headers, body }: SlackRequest) =>
  toolgate.gateway.channel({
    path,
    untrustedHeaders: Object.entries(headers).flat(),
    untrustedBodyBase64: Buffer.from(body).toString('base64'),
  })

const type = async (text: string, user = 'U0OMAR'): Promise<string> => {
  const { status, body } = await post(slashCommand(text, { user }))
  expect(status).toBe(200)
  const answer = JSON.parse(body) as { response_type: string; text: string }
  expect(answer.response_type).toBe('ephemeral')
  return answer.text
}

const idIn = (text: string): string => /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(text)?.[0] ?? ''

const call = () => toolgate.send('GET', '/github/repos/zyx/payments-core')

describe('a lock from Slack', () => {
  it('stops calls, is told in the channel, is listed, and ends when it is released', async () => {
    const answer = await type('lock set agent:change-review-agent for 2h it deletes <branches>')
    expect(answer).toMatch(/^:lock: Locked `agent:change-review-agent`/)
    expect(await call()).toMatchObject({ code: 'lock.engaged' })
    await until(() => slack.messages().some((message) => slack.shown(message).includes('Lock set')))
    const shown = slack
      .messages()
      .map((message) => slack.shown(message))
      .join('\n')
    expect(shown).toContain('`agent:change-review-agent` by `omar@zyx.example`: it deletes &lt;branches&gt;')
    const list = await type('lock list')
    expect(list).toContain('`agent:change-review-agent`')
    const id = idIn(list)
    expect(await type(`lock release ${id} it was fixed`)).toBe(
      ':unlock: Released `agent:change-review-agent`.',
    )
    expect(await call()).toMatchObject({ status: 200 })
    expect(await type('lock list')).toBe('No locks are in force.')
    const record = (await toolgate.records()).filter(({ type: kind }) => kind === 'lock')
    expect(record).toMatchObject([
      { state: 'set', by: { id: 'omar@zyx.example', channel: 'slack', issuer: 'slack:T0ZYXBANK' } },
      { state: 'released', by: { id: 'omar@zyx.example' } },
    ])
  })

  it('that takes two people is released by the other one alone', async () => {
    await type('lock set agent:change-review-agent for 2h two-person it deletes branches')
    const list = await type('lock list')
    expect(list).toMatch(/: it deletes branches \(takes another person\)$/)
    const id = idIn(list)
    expect(await type(`lock release ${id}`)).toBe(
      ':x: The lock holds: Another person has to release it. That you asked for it is on the lock and on record.',
    )
    expect(await call()).toMatchObject({ code: 'lock.engaged' })
    expect(await type(`lock release ${id}`, 'U0NIA')).toBe(':unlock: Released `agent:change-review-agent`.')
    expect(await call()).toMatchObject({ status: 200 })
  })

  it.each([
    ['of who is in no group that may', 'lock set all now', 'U0IDA', /none of the groups that may use locks/],
    ['of who is not known', 'lock set all now', 'U0EVE', /does not know you \(`U0EVE`\)/],
    [
      'on what is no scope',
      'lock set everything now',
      'U0OMAR',
      /No such scope: a scope is one of all, writes/,
    ],
    [
      'without a reason',
      'lock set all',
      'U0OMAR',
      /lock set SCOPE \[for 30m\|2h\|1d\] \[two-person\] REASON/,
    ],
    ['for two people without a reason', 'lock set all two-person', 'U0OMAR', /lock set SCOPE/],
    ['for a time that is none', 'lock set all for ever because', 'U0OMAR', /lock set SCOPE/],
    ['that nobody set', 'lock release 01980000-0000-7000-8000-000000000001', 'U0OMAR', /No such lock/],
    ['by a path that leads elsewhere', 'lock release ../approvals', 'U0OMAR', /No such/],
    ['that is none', 'unlock all', 'U0OMAR', /lock list/],
  ])('%s is refused', async (_, text, user, said) => {
    expect(await type(text, user)).toMatch(said)
    expect(await call()).toMatchObject({ status: 200 })
  })

  it('is taken once', async () => {
    const request = slashCommand('lock list')
    expect(await post(request)).toMatchObject({ status: 200 })
    expect(await post(request)).toMatchObject({ status: 409 })
  })
})

it('what is refused is counted, and named in the log where Slack vouches for who it was', async () => {
  await post(slashCommand('lock list', { secret: 'another' }))
  await type('lock set all now', 'U0EVE')
  const count = (result: string) =>
    toolgate.metric('toolgate_channel_messages_total', { channel: 'slack', result })
  expect(await count('forged')).toBe(1)
  expect(await count('not_entitled')).toBeGreaterThan(0)
  await until(async () => (await toolgate.logLines()).some(({ event }) => event === 'channel.refused'))
  const lines = (await toolgate.logLines()).filter(({ event }) => event === 'channel.refused')
  expect(lines.map(({ principal }) => principal)).toContain('U0EVE')
  const record = (await toolgate.records()).filter((entry) => entry.type === 'channel')
  expect(record.at(-1)).toMatchObject({
    by: { channel: 'slack', id: 'slack:T0ZYXBANK:U0EVE', kind: 'person' },
    detail: '/toolgate lock set all now',
    result: 'not_entitled',
  })
  expect(JSON.stringify(await toolgate.logLines())).not.toMatch(new RegExp(`${SLACK_TOKEN}|${SLACK_SECRET}`))
})

it('a guest of another workspace is on record once, under the name of that workspace, however often it is sent', async () => {
  const request = slashCommand('lock set all now', { team: 'T0OTHER' })
  const before = (await toolgate.records()).filter(({ type: kind }) => kind === 'channel').length
  expect(await post(request)).toMatchObject({ status: 403 })
  expect(await post(request)).toMatchObject({ status: 409 })
  const record = (await toolgate.records()).filter((entry) => entry.type === 'channel')
  expect(record).toHaveLength(before + 1)
  expect(record.at(-1)).toMatchObject({ by: { id: 'slack:T0OTHER:U0OMAR' }, result: 'foreign' })
})
