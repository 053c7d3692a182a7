import { expect, it } from 'vitest'
import { isSigned, webhookHeaders } from '../../../gateway/lib/standard-webhook.ts'

const MESSAGE = {
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestamp: 1_614_265_330,
  body: Buffer.from('{"test": 2432232314}'),
}
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const SIGNATURE = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='

it('a request is signed as the example of Standard Webhooks is', () => {
  expect(webhookHeaders(MESSAGE, [SECRET])).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': SIGNATURE,
  })
})

it('a request without a secret has no signature', () => {
  expect(webhookHeaders(MESSAGE, [])).not.toHaveProperty('webhook-signature')
})

it('two secrets make two signatures, and a receiver with either of them takes the request', () => {
  const { 'webhook-signature': signatures = '' } = webhookHeaders(MESSAGE, ['next', SECRET])
  expect(signatures.split(' ')).toHaveLength(2)
  expect(isSigned(MESSAGE, signatures, [SECRET])).toBe(true)
  expect(isSigned(MESSAGE, signatures, ['next'])).toBe(true)
  expect(isSigned(MESSAGE, signatures, ['another'])).toBe(false)
})

it.each([
  ['another id', { ...MESSAGE, id: 'msg_x' }, SIGNATURE],
  ['another time', { ...MESSAGE, timestamp: MESSAGE.timestamp + 1 }, SIGNATURE],
  ['another body', { ...MESSAGE, body: Buffer.from('{"test": 2432232315}') }, SIGNATURE],
  ['no signature', MESSAGE, ''],
  ['a signature cut short', MESSAGE, SIGNATURE.slice(0, -8)],
  ['another version of the scheme', MESSAGE, SIGNATURE.replace('v1,', 'v1a,')],
  ['the right signature behind too many others', MESSAGE, `${'v1,AAAA '.repeat(8)}${SIGNATURE}`],
])('%s is not signed', (_, message, signatures) => {
  expect(isSigned(message, signatures, [SECRET])).toBe(false)
})

it('nothing is signed with no secret', () => {
  expect(isSigned(MESSAGE, SIGNATURE, [])).toBe(false)
})
