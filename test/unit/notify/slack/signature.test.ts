import { describe, expect, it } from 'vitest'
import { HeaderList } from '../../../../gateway/lib/header-list.ts'
import { type Signature, verifySignature } from '../../../../gateway/notify/slack/signature.ts'

/** The example that docs.slack.dev prints beside "Verifying requests from Slack". */
const PRINTED = {
  secret: '8f742231b10e8888abcd99yyyzzz85a5',
  timestamp: '1531420618',
  signature: 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
  body: [
    'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V',
    'channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=',
    'response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN',
    'trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c',
  ].join('&'),
}
const SENT_MS = Number(PRINTED.timestamp) * 1_000

interface Altered extends Partial<typeof PRINTED> {
  readonly headers?: readonly string[]
  readonly nowMs?: number
}

function verified({ headers = [], nowMs = SENT_MS, ...altered }: Altered = {}): Signature {
  const { secret, timestamp, signature, body } = { ...PRINTED, ...altered }
  const given = ['X-Slack-Request-Timestamp', timestamp, 'X-Slack-Signature', signature, ...headers]
  return verifySignature({ headers: new HeaderList(given), body: Buffer.from(body) }, [secret], nowMs)
}

it('what Slack prints is signed by Slack', () => {
  expect(verified()).toEqual({ ok: true, key: expect.stringMatching(/^[0-9a-f]{64}$/) as string })
})

describe('what Slack prints is not believed', () => {
  it.each<[string, Altered, string]>([
    ['with another secret', { secret: PRINTED.secret.replace('8f', '8e') }, 'forged'],
    ['with one character of the body changed', { body: PRINTED.body.replace('U2C', 'U3C') }, 'forged'],
    ['with something after the body', { body: `${PRINTED.body}&text=x` }, 'forged'],
    ['with the time of another second', { timestamp: '1531420619' }, 'forged'],
    ['with the time written otherwise', { timestamp: '01531420618' }, 'forged'],
    ['with a zero moved from the time to the body', { timestamp: '153142061' }, 'forged'],
    ['with another signature', { signature: PRINTED.signature.replace('=a2', '=a3') }, 'forged'],
    ['with a signature in capitals', { signature: PRINTED.signature.toUpperCase() }, 'unsigned'],
    ['with a signature that was cut', { signature: PRINTED.signature.slice(0, -1) }, 'unsigned'],
    ['with a signature of another version', { signature: PRINTED.signature.replace('v0', 'v1') }, 'unsigned'],
    ['with a second signature', { headers: ['x-slack-signature', PRINTED.signature] }, 'unsigned'],
    ['with no time', { timestamp: '' }, 'unsigned'],
    ['with a time that is no number', { timestamp: '1531420618.5' }, 'unsigned'],
    ['a moment after five minutes', { nowMs: SENT_MS + 300_001 }, 'stale'],
    ['more than a minute before it was sent', { nowMs: SENT_MS - 60_001 }, 'future'],
  ])('%s', (_, altered, fault) => {
    expect(verified(altered)).toEqual({ ok: false, fault })
  })

  it.each([SENT_MS + 300_000, SENT_MS - 60_000])('but is to the last moment: at %i', (nowMs) => {
    expect(verified({ nowMs })).toMatchObject({ ok: true })
  })
})
