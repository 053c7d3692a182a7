import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Decided } from '../../../gateway/exchange.ts'
import { buildRequestHeaders, passedRequestHeaders } from '../../../gateway/egress/request-headers.ts'
import { HeaderList } from '../../../gateway/lib/header-list.ts'
import { vendorConnector } from '../../harness/upstream.ts'

const TRACE = {
  traceId: 'a'.repeat(32),
  spanId: 'b'.repeat(16),
  parentId: undefined,
  sampled: false,
  state: undefined,
}

type Call = Parameters<typeof buildRequestHeaders>[0]

function call(flat: readonly string[], changes: Partial<Call> = {}): Call {
  return {
    headers: new HeaderList(flat),
    connector: vendorConnector('https://api.vendor.test'),
    trace: TRACE,
    content: { kind: 'none', bytes: Buffer.alloc(0), stream: undefined, digest: '' },
    body: { declaredBytes: 0 },
    decision: { obligations: [] },
    ...changes,
  }
}

function built(flat: readonly string[], request: readonly string[] = []): HeaderList {
  const connector = vendorConnector('https://api.vendor.test', { headers: { request, response: [] } })
  return new HeaderList(buildRequestHeaders(call(flat, { connector }), passedRequestHeaders(connector)))
}

it('drops what Connection names before anything is added', () => {
  const headers = built(
    ['Connection', 'Keep-Alive, X-Vendor', 'X-Vendor', '1', 'Keep-Alive', 'timeout=5', 'Accept', '*/*'],
    ['x-vendor'],
  )
  expect([...headers.names()]).toEqual(['accept', 'user-agent', 'accept-encoding', 'traceparent'])
})

it('lets neither twin through where one has an underscore and the other is unknown', () => {
  const headers = built(['X_Vendor', '1', 'User_Agent', 'twin'], ['x-vendor'])
  expect(headers.has('x_vendor')).toBe(false)
  expect(headers.all('user-agent')).toEqual(['toolgate'])
  expect(headers.has('user_agent')).toBe(false)
})

it.each([
  ['authorization'],
  ['cookie'],
  ['dpop'],
  ['x-forwarded-for'],
  ['toolgate-task'],
  ['host'],
  ['content-length'],
  ['transfer-encoding'],
  ['proxy-authorization'],
  ['x-http-method-override'],
  ['x-original-url'],
  ['traceparent'],
  ['x_vendor'],
])('does not take %s from a connector', (name) => {
  const connector = vendorConnector('https://api.vendor.test', { headers: { request: [name], response: [] } })
  expect(passedRequestHeaders(connector).has(name)).toBe(false)
})

it('never passes a header that is on no list, whatever its name', () => {
  const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}$/)
  const allowed = passedRequestHeaders(vendorConnector('https://api.vendor.test'))
  const ours = new Set(['user-agent', 'accept-encoding', 'traceparent'])
  fc.assert(
    fc.property(fc.array(token, { maxLength: 8 }), (names) => {
      for (const name of built(names.flatMap((each) => [each, '1'])).names()) {
        expect(allowed.has(name) || ours.has(name)).toBe(true)
      }
    }),
  )
})

describe('Accept-Encoding', () => {
  it.each([
    [[], 'identity'],
    [['gzip, deflate, br, zstd'], 'gzip, br'],
    [['GZIP;q=0.5', 'identity;q=0'], 'GZIP;q=0.5, identity;q=0'],
    [['*'], 'identity'],
    [['zstd'], 'identity'],
  ])('%j becomes %s', (values, expected) => {
    const headers = built(values.flatMap((value) => ['accept-encoding', value]))
    expect(headers.all('accept-encoding')).toEqual([expected])
  })
})

it('states the length of a streamed body that has one', () => {
  const stream = {} as Decided['body']['stream']
  const content = { kind: 'opaque', bytes: Buffer.alloc(0), stream, digest: '' } as const
  const list = buildRequestHeaders(call([], { content, body: { declaredBytes: 12 } }), new Set())
  expect(new HeaderList(list).get('content-length')).toBe('12')
})
