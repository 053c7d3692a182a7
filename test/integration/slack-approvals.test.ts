import { describe, expect, it } from 'vitest'
import { ESCALATION_CHANNEL, startSlackChannel } from '../harness/slack-channel.ts'
import { buttonsOf, click, signed, slashCommand } from '../harness/slack-workspace.ts'
import { until } from '../harness/until.ts'

const NOW = (): number => Math.floor(Date.now() / 1_000)

describe('an approval in Slack', () => {
  it('shows the call as it will be sent, its risk, its reasons and the digest of what is shown', async () => {
    await using slack = await startSlackChannel()
    const { id, subject } = await slack.ask({ subject: { view: 'CALL\n  url: "<!channel> & `` ```"' } })
    const message = await slack.message()
    const text = slack.workspace.shown(message)
    expect(text).toContain('url: "&lt;!channel&gt; &amp;')
    expect(text).not.toMatch(/```"|<!channel>/)
    for (const part of [
      subject.viewDigest,
      id,
      'risk 7 of 10',
      'R021',
      'change-review-agent',
      'dana@zyx.example',
    ])
      expect(text).toContain(part)
    expect([...buttonsOf(message).keys()]).toEqual(['Approve', 'Deny'])
  })

  it('is given by a click, and the message says by whom', async () => {
    await using slack = await startSlackChannel()
    const { id } = await slack.ask()
    const message = await slack.message()
    expect(await slack.post(click(message, 'Approve'))).toMatchObject({ status: 200, body: '' })
    expect(await slack.service.lookup(id)).toMatchObject({
      state: 'approved',
      votes: [{ person: { id: 'omar@zyx.example', issuer: 'slack:T0ZYXBANK', channel: 'slack' } }],
    })
    await until(() => slack.workspace.shown(message).includes('omar@zyx.example` said yes'))
    // Until it is used, a no still ends it.
    expect([...buttonsOf(message).keys()]).toEqual(['Deny'])
    expect(slack.workspace.messages()).toHaveLength(1)
  })

  it('says how many of the people who are needed have said yes', async () => {
    await using slack = await startSlackChannel()
    const { id } = await slack.ask({ demand: { count: 2 } })
    const message = await slack.message()
    await slack.post(click(message, 'Approve'))
    await until(() => slack.workspace.shown(message).includes('(1 of 2)'))
    await slack.post(click(message, 'Approve', { user: 'U0IDA' }))
    expect((await slack.service.lookup(id))?.state).toBe('approved')
  })

  it('is refused by a click, after which nobody can give it', async () => {
    await using slack = await startSlackChannel()
    const { id } = await slack.ask()
    const message = await slack.message()
    const late = click(message, 'Approve', { user: 'U0IDA' })
    await slack.post(click(message, 'Deny'))
    await slack.post(late)
    expect((await slack.service.lookup(id))?.state).toBe('denied')
    expect(slack.workspace.told('U0IDA')).toEqual(['Too late: it is denied already.'])
    await until(() => slack.workspace.shown(message).includes('Denied'))
    expect(buttonsOf(message).size).toBe(0)
  })

  it('counts a double click once, and says so', async () => {
    await using slack = await startSlackChannel()
    const { id } = await slack.ask({ demand: { count: 2 } })
    const message = await slack.message()
    await slack.post(click(message, 'Approve'))
    await slack.post(click(message, 'Approve', { timestamp: NOW() + 1 }))
    expect((await slack.service.lookup(id))?.votes).toHaveLength(1)
    expect(slack.results).toEqual(['counted', 'repeated'])
    expect(slack.workspace.told('U0OMAR')).toEqual(['You have said so already.'])
  })

  it('reaches the channel of the secondary group when nobody has answered, whose answer then counts', async () => {
    await using slack = await startSlackChannel()
    const { id } = await slack.ask()
    const first = await slack.message()
    slack.clock.advance(300_000)
    await slack.service.settle(id)
    const second = await slack.message(ESCALATION_CHANNEL)
    await until(() => slack.workspace.messages().some(({ threadTs }) => threadTs === first.ts))
    await slack.post(click(second, 'Approve', { user: 'U0SEC', channel: ESCALATION_CHANNEL }))
    await until(() => slack.workspace.shown(first).includes('sec@zyx.example` said yes'))
    await until(() => slack.workspace.shown(second).includes('sec@zyx.example` said yes'))
    expect((await slack.service.lookup(id))?.state).toBe('approved')
  })

  it('that expires loses its buttons', async () => {
    await using slack = await startSlackChannel()
    const { id } = await slack.ask()
    const message = await slack.message()
    slack.clock.advance(900_000)
    await slack.service.settle(id)
    await until(() => slack.workspace.shown(message).includes('Expired'))
    expect(buttonsOf(message).size).toBe(0)
  })

  it('that is taken back loses its buttons, and says by whom and why', async () => {
    await using slack = await startSlackChannel()
    const { id } = await slack.ask()
    const message = await slack.message()
    await slack.service.revoke(id, { by: 'ida@zyx.example', reason: 'wrong <one>' })
    await until(() => slack.workspace.shown(message).includes('Revoked'))
    expect(buttonsOf(message).size).toBe(0)
    expect(slack.workspace.shown(message)).toContain('Taken back by `ida@zyx.example`: wrong &lt;one&gt;')
  })

  it('that a message cannot hold can only be refused there, even by a click that says otherwise', async () => {
    await using slack = await startSlackChannel()
    const { id } = await slack.ask({ subject: { view: 'CALL\n'.padEnd(40_000, 'ж & <') } })
    const message = await slack.message()
    expect([...buttonsOf(message).keys()]).toEqual(['Deny'])
    const text = slack.workspace.shown(message)
    expect(text).toMatch(/Only the first [\d,]+ of 40,000 characters are shown/)
    const deny = click(message, 'Deny', { user: 'U0IDA' })
    // The echo of the message has to fit what the listener takes.
    expect(Buffer.byteLength(deny.body)).toBeLessThan(65_536)
    const [body] = [new URLSearchParams(deny.body)]
    body.set('payload', (body.get('payload') ?? '').replaceAll('toolgate_deny', 'toolgate_approve'))
    await slack.post(signed('slack/interactions', body.toString()))
    expect((await slack.service.lookup(id))?.state).toBe('pending')
    expect(slack.events.at(-1)).toMatchObject({
      kind: 'vote_refused',
      why: 'stale_view',
      by: 'ida@zyx.example',
    })
  })
})

describe('a click does not count', () => {
  const attempt = async (
    act: (
      slack: Awaited<ReturnType<typeof startSlackChannel>>,
    ) => Promise<{ status: number; result: string }>,
  ) => {
    await using slack = await startSlackChannel()
    const { id } = await slack.ask()
    await slack.message()
    const { status, result } = await act(slack)
    expect(slack.results.at(-1)).toBe(result)
    expect(await slack.service.lookup(id)).toMatchObject({ state: 'pending', votes: [] })
    return { status, told: (user: string) => slack.workspace.told(user), events: slack.events }
  }
  const by = async (
    options: NonNullable<Parameters<typeof click>[2]>,
    status: number,
    result: string,
    change: (body: string) => string = (body) => body,
  ) =>
    attempt(async (slack) => {
      const [message] = slack.workspace.messages()
      if (message === undefined) throw new Error('no message')
      const request = click(message, 'Approve', options)
      const answer = await slack.post({ ...request, body: change(request.body) })
      expect(answer.status).toBe(status)
      return { status: answer.status, result }
    })

  it.each<[string, NonNullable<Parameters<typeof click>[2]>, number, string]>([
    ['with a signature that another secret made', { secret: 'another' }, 401, 'forged'],
    ['that was signed more than five minutes ago', { timestamp: NOW() - 301 }, 401, 'stale'],
    ['that is from a time to come', { timestamp: NOW() + 120 }, 401, 'future'],
    ['from another workspace', { team: 'T0OTHER' }, 403, 'foreign'],
    ['of a guest from another workspace in a shared channel', { userTeam: 'T0OTHER' }, 403, 'foreign'],
    ['for another app', { app: 'A0OTHER' }, 403, 'foreign'],
    ['in a channel where it was not asked', { channel: 'C0EXECS' }, 200, 'stale_view'],
  ])('%s', async (_, options, status, result) => {
    expect((await by(options, status, result)).events.map(({ kind }) => kind)).not.toContain('voted')
  })

  it('with a body that was changed after it was signed', async () => {
    const change = (body: string): string => body.replace('U0OMAR', 'U0IDA')
    expect((await by({}, 401, 'forged', change)).events).toEqual([{ kind: 'requested' }])
  })

  it('from a user whom nobody has named, who is told, and it is on record', async () => {
    const { told, events } = await by({ user: 'U0EVE' }, 200, 'not_entitled')
    expect(told('U0EVE')).toEqual([expect.stringContaining('does not know you (`U0EVE`)')])
    expect(events.at(-1)).toEqual({ kind: 'vote_refused', why: 'not_entitled', by: 'slack:T0ZYXBANK:U0EVE' })
  })

  it('from who is in no group that is asked', async () => {
    const { events } = await by({ user: 'U0SEC' }, 200, 'not_entitled')
    expect(events.at(-1)).toMatchObject({ kind: 'vote_refused', by: 'sec@zyx.example' })
  })

  it('from whose own call it is', async () => {
    const { told, events } = await by({ user: 'U0DANA' }, 200, 'excluded')
    expect(told('U0DANA')).toEqual([expect.stringContaining('somebody else has to decide')])
    expect(events.at(-1)).toMatchObject({ kind: 'vote_refused', why: 'excluded' })
  })

  it('on something else than what will be sent', async () => {
    const { events } = await by(
      { value: `01980000-0000-7000-8000-000000000001 ${'0'.repeat(64)}` },
      200,
      'stale_view',
    )
    expect(events.at(-1)).toMatchObject({ kind: 'vote_refused', why: 'stale_view' })
  })

  it('on a message that an agent posted with the same bot, and made look like a request', async () => {
    await attempt(async (slack) => {
      const [message] = slack.workspace.messages()
      const { channels, nextTs } = slack.workspace.fake.world
      const forged = { ...message, ts: nextTs(), reactions: new Map(), edited: false } as NonNullable<
        typeof message
      >
      channels.get('C0CHANGEREV')?.messages.push(forged)
      const answer = await slack.post(click(forged, 'Approve'))
      expect(slack.workspace.told('U0OMAR')).toEqual([expect.stringContaining('none of Toolgate’s requests')])
      return { status: answer.status, result: 'stale_view' }
    })
  })

  it('while it cannot be known whether it was taken before', async () => {
    await using slack = await startSlackChannel({ forgetful: true })
    const { id } = await slack.ask()
    const message = await slack.message()
    expect(await slack.post(click(message, 'Approve'))).toMatchObject({ status: 503 })
    expect((await slack.service.lookup(id))?.state).toBe('pending')
  })
})

describe('a message of Slack', () => {
  it('is taken once, whatever case its header names are in', async () => {
    await using slack = await startSlackChannel()
    await slack.ask({ demand: { count: 2 } })
    const request = click(await slack.message(), 'Approve')
    expect(await slack.post(request)).toMatchObject({ status: 200 })
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name.toUpperCase(), value]),
    )
    expect(await slack.post({ ...request, headers })).toMatchObject({ status: 409 })
    expect(slack.results).toEqual(['counted', 'replayed'])
  })

  it('may be signed with either secret while the app changes over', async () => {
    await using slack = await startSlackChannel({
      environment: { NEXT: 'the next secret' },
      app: {
        signingSecrets: [
          { source: 'env', name: 'SLACK_SECRET' },
          { source: 'env', name: 'NEXT' },
        ],
      },
    })
    await slack.ask({ demand: { count: 2 } })
    const message = await slack.message()
    await slack.post(click(message, 'Approve', { secret: 'the next secret' }))
    await slack.post(click(message, 'Approve', { user: 'U0IDA' }))
    expect(slack.results).toEqual(['counted', 'counted'])
  })

  it.each([
    ['without a payload', 'a=1'],
    ['with two payloads', 'payload=%7B%7D&payload=%7B%7D'],
    ['with a payload that is no JSON', 'payload=%7B'],
    ['with a payload in which a member occurs twice', 'payload=%7B%22type%22%3A1%2C%22type%22%3A2%7D'],
    ['about something else than buttons', `payload=${encodeURIComponent('{"type":"view_submission"}')}`],
    ['that is nested too deeply', `payload=${'%5B'.repeat(40)}${'%5D'.repeat(40)}`],
  ])('%s is not read', async (_, body) => {
    await using slack = await startSlackChannel()
    expect(await slack.post(signed('slack/interactions', body))).toMatchObject({ status: 400 })
    expect(slack.results).toEqual(['unreadable'])
  })

  it('of another media type is not read', async () => {
    await using slack = await startSlackChannel()
    const request = signed('slack/interactions', '{}')
    const headers = { ...request.headers, 'content-type': 'application/json' }
    expect(await slack.post({ ...request, headers })).toMatchObject({ status: 400 })
  })

  it('is answered in time, whatever it takes to do what it wants, and who sent it is told later', async () => {
    const { promise: done, resolve: finish } = Promise.withResolvers<{ status: number; body: object }>()
    await using slack = await startSlackChannel({ answerWithinMs: 20, control: () => done })
    const answer = await slack.post(slashCommand('lock list'))
    expect(answer).toMatchObject({ status: 200 })
    expect(JSON.parse(answer.body)).toMatchObject({
      response_type: 'ephemeral',
      text: expect.stringContaining('takes longer') as string,
    })
    finish({ status: 200, body: { locks: [], state: 'fresh' } })
    await until(() => slack.workspace.told('U0OMAR').length === 1)
    expect(slack.workspace.told('U0OMAR')).toEqual(['No locks are in force.'])
  })
})
