import { describe, expect, it } from 'vitest'
import { ESCALATION_CHANNEL, startSlackChannel } from '../harness/slack-channel.ts'
import { buttonsOf, click, nowSeconds, signed } from '../harness/slack-workspace.ts'
import { until } from '../harness/until.ts'

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
    await slack.post(click(message, 'Approve', { timestamp: nowSeconds() + 1 }))
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
