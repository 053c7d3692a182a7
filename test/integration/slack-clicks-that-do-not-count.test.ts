import { describe, expect, it } from 'vitest'
import { startSlackChannel } from '../harness/slack-channel.ts'
import { click, nowSeconds } from '../harness/slack-workspace.ts'

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
    ['that was signed more than five minutes ago', { timestamp: nowSeconds() - 301 }, 401, 'stale'],
    ['that is from a time to come', { timestamp: nowSeconds() + 120 }, 401, 'future'],
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
