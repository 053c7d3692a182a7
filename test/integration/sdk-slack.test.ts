import { randomBytes } from 'node:crypto'
import { ErrorCode, LogLevel, WebClient } from '@slack/web-api'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startSdkWorld, type SdkWorld } from '../harness/sdk-world.ts'

let world: SdkWorld
let slack: WebClient
let channel = ''
beforeAll(async () => {
  world = await startSdkWorld()
  // As anybody makes it: ten retries over half an hour are on.
  slack = new WebClient(undefined, {
    slackApiUrl: `${world.toolgate.origin}/slack/api/`,
    logLevel: LogLevel.ERROR,
    logger: quiet,
  })
  const { channels } = world.toolgate.fakes.slack.world
  channel = [...channels.values()].find(({ member, archived }) => member && !archived)?.id ?? ''
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(() => void world.takeRequests())

const quiet = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  setLevel: () => {},
  getLevel: () => LogLevel.ERROR,
  setName: () => {},
}

describe('The Slack SDK through the gateway', () => {
  it('reads', async () => {
    expect(await slack.auth.test()).toMatchObject({ ok: true, team: 'ZYX Bank' })
  })

  it('writes, and reads back what it wrote', async () => {
    const text = 'Prüfung fertig: 3 & 4 <ok> ✓'
    const { ts = '' } = await slack.chat.postMessage({ channel, text })
    const { messages } = await slack.conversations.history({ channel, latest: ts, inclusive: true, limit: 1 })
    expect(messages?.[0]?.text).toBe(text)
  })

  it('writes blocks as they are', async () => {
    const blocks = [{ type: 'section', text: { type: 'mrkdwn', text: '*bold* = 100 %' } }] as const
    expect(await slack.chat.postMessage({ channel, text: 'x', blocks: [...blocks] })).toMatchObject({
      ok: true,
    })
  })

  it('pages with cursors', async () => {
    const names: string[] = []
    for await (const page of slack.paginate('conversations.list', { limit: 1 })) {
      const { channels } = page as { channels?: { name: string }[] }
      names.push(...(channels ?? []).map(({ name }) => name))
    }
    expect(names).toEqual([...world.toolgate.fakes.slack.world.channels.values()].map(({ name }) => name))
    expect(world.takeRequests().length).toBeGreaterThanOrEqual(names.length)
  })

  it('uploads a file in three steps, through the gateway each', async () => {
    const bytes = randomBytes(50_000)
    await slack.filesUploadV2({ channel_id: channel, file: bytes, filename: 'plan.bin' })
    expect(world.takeRequests().map((request) => request.replace(/\?.*/, ''))).toEqual([
      'POST /slack/api/files.getUploadURLExternal',
      expect.stringMatching(/^POST \/slack\/upload\/v1\/F0\d+$/),
      'POST /slack/api/files.completeUploadExternal',
    ])
    const uploaded = [...world.toolgate.fakes.slack.world.files.values()].at(-1)
    expect(uploaded?.bytes?.equals(bytes)).toBe(true)
  })

  it('hears of what Slack refuses as Slack says it', async () => {
    await expect(slack.chat.postMessage({ channel: 'C0NOWHERE', text: 'x' })).rejects.toMatchObject({
      code: ErrorCode.PlatformError,
      data: { error: 'channel_not_found' },
    })
  })

  it('raises one platform error for what policy denies, and asks once', async () => {
    await expect(slack.chat.delete({ channel, ts: '1.1' })).rejects.toMatchObject({
      code: ErrorCode.PlatformError,
      data: { error: 'access_denied', code: 'policy.denied' },
    })
    expect(world.takeRequests()).toEqual(['POST /slack/api/chat.delete'])
  })

  it('raises one error for a limit that is far away, and asks once', async () => {
    await slack.users.info({ user: 'U0DANA' })
    world.takeRequests()
    await expect(slack.users.info({ user: 'U0DANA' })).rejects.toMatchObject({
      code: ErrorCode.PlatformError,
      data: { error: 'ratelimited', code: 'limit.rate' },
    })
    expect(world.takeRequests()).toHaveLength(1)
  })

  it('leaves nothing of the agent behind', () => {
    const { requests } = world.toolgate.fakes.slack
    expect(requests.length).toBeGreaterThan(8)
    expect(requests.flatMap(({ leaks }) => leaks)).toEqual([])
  })
})
