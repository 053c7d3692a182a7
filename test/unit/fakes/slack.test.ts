// Slack's postMessage is not the one of a browser window.
/* oxlint-disable unicorn/require-post-message-target-origin */
import { LogLevel, WebClient } from '@slack/web-api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startSlackFake } from '../../../connectors/slack/fake.ts'
import type { SlackFake } from '../../../connectors/slack/fake.ts'

const token = 'xoxb-correct'
const channel = 'C0CHANGEREV'
let slack: SlackFake

beforeEach(async () => {
  slack = await startSlackFake({ token })
})
afterEach(() => slack[Symbol.asyncDispose]())

function client(auth: string = token): WebClient {
  return new WebClient(auth, {
    slackApiUrl: `${slack.origin}/api/`,
    logLevel: LogLevel.ERROR,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    fetch: (url, init) => fetch(String(url).replace('https://files.slack.com', slack.origin), init),
  })
}

describe('the Slack fake', () => {
  it('says who the token belongs to', async () => {
    expect(await client().auth.test()).toMatchObject({ ok: true, team: 'ZYX Bank', user_id: 'U0TOOLGATE' })
  })

  it.each([
    ['a wrong token', 'xoxb-wrong', 'invalid_auth'],
    ['no token', '', 'not_authed'],
  ])('refuses %s with 200 and a code', async (_, auth, error) => {
    await expect(client(auth).auth.test()).rejects.toMatchObject({
      code: 'slack_webapi_platform_error',
      data: { ok: false, error },
    })
  })

  it('refuses a right header with another token in the body', async () => {
    const answer = await post('auth.test', 'application/x-www-form-urlencoded', 'token=xoxb-other')
    expect(answer).toEqual({ ok: false, error: 'invalid_auth' })
  })

  it('keeps messages, threads and reactions, and lets them be changed and deleted', async () => {
    const { ts = '' } = await client().chat.postMessage({
      channel,
      text: 'review',
      blocks: [{ type: 'section', text: { type: 'mrkdwn', text: '*review*' } }],
    })
    await client().chat.postMessage({ channel, text: 'details', thread_ts: ts })
    await client().reactions.add({ channel, timestamp: ts, name: 'eyes' })
    await client().chat.update({ channel, ts, text: 'reviewed' })
    const history = await client().conversations.history({ channel })
    expect(history.messages).toMatchObject([
      { ts, text: 'reviewed', reactions: [{ name: 'eyes', count: 1 }] },
    ])
    expect((await client().conversations.replies({ channel, ts })).messages).toHaveLength(2)
    await client().chat.delete({ channel, ts })
    await expect(client().chat.update({ channel, ts, text: 'again' })).rejects.toMatchObject({
      data: { error: 'message_not_found' },
    })
  })

  it.each([
    ['an unknown channel', { channel: 'C0NOWHERE', text: 'x' }, 'channel_not_found'],
    ['a channel the app is not in', { channel: 'C0EXECS', text: 'x' }, 'not_in_channel'],
    ['an archived channel', { channel: 'C0OLD', text: 'x' }, 'is_archived'],
    ['no text', { channel, text: '' }, 'no_text'],
    ['too long a text', { channel, text: 'x'.repeat(40_001) }, 'msg_too_long'],
    ['blocks that are none', { channel, text: 'x', blocks: '[1]' }, 'invalid_blocks'],
  ])('refuses a message with %s', async (_, message, error) => {
    await expect(client().apiCall('chat.postMessage', message)).rejects.toMatchObject({
      data: { ok: false, error },
    })
  })

  it('takes a channel by name', async () => {
    const posted = await client().chat.postMessage({ channel: '#devsecops-change-review', text: 'by name' })
    expect(posted.channel).toBe(channel)
  })

  it('pages by cursor', async () => {
    const names: string[] = []
    for await (const page of client().paginate('conversations.list', { limit: 5 })) {
      const channels = 'channels' in page && Array.isArray(page.channels) ? page.channels : []
      names.push(...channels.map((each: { name: string }) => each.name))
    }
    expect(new Set(names).size).toBe(16)
  })

  it('takes a file in three steps', async () => {
    await client().filesUploadV2({ channel_id: channel, filename: 'plan.txt', file: Buffer.from('plan') })
    const [file] = slack.world.files.values()
    expect(file).toMatchObject({ name: 'plan.txt', completed: true, bytes: Buffer.from('plan') })
  })

  it('does not know a method that does not exist', async () => {
    await expect(client().apiCall('chat.shout')).rejects.toMatchObject({ data: { error: 'unknown_method' } })
  })

  it.each([
    ['text/plain', 'x', 'invalid_post_type'],
    ['application/json; charset=utf-8', '{', 'invalid_json'],
    ['application/json; charset=utf-8', '[]', 'json_not_object'],
  ])('refuses a body of type %s that reads %s', async (type, body, error) => {
    expect(await post('auth.test', type, body)).toEqual({ ok: false, error })
  })

  it('warns of JSON without charset', async () => {
    expect(await post('auth.test', 'application/json', '{}')).toMatchObject({
      ok: true,
      warning: 'missing_charset',
    })
  })

  it('answers a rate limit with 429 and Retry-After when a test asks for it', async () => {
    using _limited = slack.behave({
      times: 1,
      status: 429,
      headers: { 'Retry-After': '7' },
      body: '{"ok":false,"error":"ratelimited"}',
    })
    await expect(client().auth.test()).rejects.toMatchObject({
      code: 'slack_webapi_rate_limited_error',
      retryAfter: 7,
    })
    expect(await client().auth.test()).toMatchObject({ ok: true })
  })
})

async function post(method: string, type: string, body: string): Promise<unknown> {
  const reply = await fetch(`${slack.origin}/api/${method}`, {
    method: 'POST',
    body,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': type },
  })
  return reply.json()
}
