import { inspect } from 'node:util'
import { errors } from 'undici'
import { expect, it } from 'vitest'
import { refusalCodeOfUpstream, stripped } from '../../../gateway/egress/upstream-error.ts'
import type { Phase } from '../../../gateway/egress/upstream-error.ts'
import { GatewayFault } from '../../../gateway/fault.ts'
import type { RefusalCode } from '../../../gateway/refusal.ts'

const system = (code: string): Error => Object.assign(new Error(code), { code })

it.each<[string, Error, Phase, RefusalCode]>([
  ['a refused connection', system('ECONNREFUSED'), 'waiting', 'upstream.unreachable'],
  [
    'every address refused',
    Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }),
    'waiting',
    'upstream.unreachable',
  ],
  ['a name that is none', system('ENOTFOUND'), 'waiting', 'upstream.unreachable'],
  ['an untrusted certificate', system('DEPTH_ZERO_SELF_SIGNED_CERT'), 'waiting', 'upstream.unreachable'],
  ['a slow connection', new errors.ConnectTimeoutError(), 'waiting', 'upstream.unreachable'],
  ['a denied address', system('TOOLGATE_ADDRESS_DENIED'), 'waiting', 'upstream.address_denied'],
  ['a reset once sent', system('ECONNRESET'), 'sent', 'upstream.protocol'],
  ['a timeout of the network once sent', system('ETIMEDOUT'), 'sent', 'upstream.protocol'],
  ['a close once sent', new errors.SocketError('other side closed'), 'sent', 'upstream.protocol'],
  ['no answer in time', new errors.HeadersTimeoutError(), 'sent', 'upstream.timeout'],
  ['too many headers', new errors.HeadersOverflowError(), 'answering', 'upstream.protocol'],
  ['no HTTP', system('HPE_INVALID_CONSTANT'), 'answering', 'upstream.protocol'],
  ['a closed pool', new errors.ClientClosedError(), 'waiting', 'gateway.draining'],
  [
    'a body longer than announced',
    new errors.RequestContentLengthMismatchError(),
    'sent',
    'request.malformed',
  ],
  [
    'a header of ours that is none',
    new errors.InvalidArgumentError('invalid x header'),
    'waiting',
    'gateway.fault',
  ],
  [
    'a body over its limit',
    new GatewayFault('request.body_too_large', 'x'),
    'sent',
    'request.body_too_large',
  ],
  ['nothing known', new Error('?'), 'sent', 'upstream.protocol'],
])('%s', (_what, error, phase, code) => {
  expect(refusalCodeOfUpstream(error, phase)).toBe(code)
})

it('leaves nothing of an error but its code', () => {
  const told = Object.assign(new Error('Bearer secret', { cause: new Error('secret') }), {
    code: 'HPE_INVALID_TOKEN',
    data: 'set-cookie: secret',
    options: { headers: ['authorization', 'Bearer secret'] },
  })
  expect(stripped(told).code).toBe('HPE_INVALID_TOKEN')
  expect(inspect(stripped(told), { depth: 9, showHidden: true })).not.toContain('secret')
})

it.each([undefined, null, 'secret', { code: 'Bearer secret' }, { code: 7 }])(
  'makes nothing of %j',
  (thrown) => {
    expect(stripped(thrown).message).toBe('UNKNOWN')
  },
)
