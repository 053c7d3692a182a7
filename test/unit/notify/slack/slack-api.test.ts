import { describe, expect, it } from 'vitest'
import type { OutboundAnswer, OutboundRequest } from '../../../../gateway/egress/outbound.ts'
import { createSlackApi } from '../../../../gateway/notify/slack/slack-api.ts'
import { DeliveryError } from '../../../../gateway/notify/target.ts'

function answering(answer: Partial<OutboundAnswer>, token = (): string => 'xoxb-1') {
  const sent: OutboundRequest[] = []
  const api = createSlackApi(
    {
      post: (request) => {
        sent.push(request)
        return Promise.resolve({ status: 200, retryAfterMs: undefined, body: Buffer.from(''), ...answer })
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
    token,
  )
  const call = () => api.call('chat.postMessage', { channel: 'C0A', text: 'a' }, AbortSignal.timeout(5_000))
  return { call, sent }
}

const said = (body: object): Partial<OutboundAnswer> => ({ body: Buffer.from(JSON.stringify(body)) })

describe('the Web API of Slack', () => {
  it('is asked in JSON whose charset is named, with the token of the moment', async () => {
    const tokens = ['xoxb-1', 'xoxb-2']
    const { call, sent } = answering(said({ ok: true, ts: '1.2' }), () => tokens.shift() ?? '')
    expect(await call()).toMatchObject({ ts: '1.2' })
    await call()
    expect(sent).toMatchObject([
      { resource: 'chat.postMessage', headers: { authorization: 'Bearer xoxb-1' } },
      { headers: { authorization: 'Bearer xoxb-2', 'content-type': 'application/json; charset=utf-8' } },
    ])
  })

  it.each<[string, Partial<OutboundAnswer>, Partial<DeliveryError>]>([
    ['a message that is wrong itself', said({ ok: false, error: 'invalid_blocks' }), { retry: 'never' }],
    ['a message that is gone', said({ ok: false, error: 'message_not_found' }), { retry: 'never' }],
    ['a token that is mended elsewhere', said({ ok: false, error: 'token_revoked' }), { retry: 'later' }],
    ['a channel without the app', said({ ok: false, error: 'not_in_channel' }), { retry: 'later' }],
    ['too many messages', { status: 429, retryAfterMs: 30_000 }, { retry: 'later', afterMs: 30_000 }],
    ['a failure', { status: 503 }, { retry: 'later' }],
    ['a redirect', { status: 302 }, { retry: 'later' }],
    ['a page in place of JSON', { body: Buffer.from('<html>') }, { retry: 'later' }],
  ])('says of %s whether it is worth trying again', async (_, answer, error) => {
    const failure: unknown = await answering(answer)
      .call()
      .catch((cause: unknown) => cause)
    expect(failure).toBeInstanceOf(DeliveryError)
    expect(failure).toMatchObject(error)
  })

  it('has no word of its answers in an error but Slack’s own', async () => {
    const { call } = answering(said({ ok: false, error: 'bad <token> XOXB-1\n' }))
    await expect(call()).rejects.toThrow(/^was answered badtoken$/)
  })
})
