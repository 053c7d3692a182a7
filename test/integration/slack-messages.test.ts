import { describe, expect, it } from 'vitest'
import { startSlackChannel } from '../harness/slack-channel.ts'
import { click, signed, slashCommand } from '../harness/slack-workspace.ts'
import { until } from '../harness/until.ts'

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
