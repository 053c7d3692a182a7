import { expect, it } from 'vitest'
import { buildResponseHeaders, passedResponseHeaders } from '../../../gateway/egress/response-headers.ts'
import { HeaderList } from '../../../gateway/lib/header-list.ts'
import { vendorConnector } from '../../harness/upstream.ts'

const CONNECTOR = vendorConnector('https://api.vendor.test')
const RULES = {
  connector: CONNECTOR,
  passed: passedResponseHeaders(CONNECTOR),
  externalBase: 'http://gw.test/vendor',
  asked: 'https://api.vendor.test/repos',
  rewritesBody: false,
  withoutBody: false,
}

it('drops what the upstream’s Connection names', () => {
  const received = new HeaderList(['Connection', 'ETag, close', 'ETag', '"1"', 'Vary', 'accept'])
  expect(buildResponseHeaders(received, RULES)).toEqual(['vary', 'accept'])
})

it.each([
  'set-cookie',
  'toolgate-decision',
  'www-authenticate',
  'alt-svc',
  'transfer-encoding',
  'access-control-allow-origin',
])('does not take %s from a connector', (name) => {
  const connector = vendorConnector('https://api.vendor.test', { headers: { request: [], response: [name] } })
  expect(passedResponseHeaders(connector).has(name)).toBe(false)
})

it.each(['a\rb', 'a\nb', 'a\0b', 'a\u007fb', 'a\u0100b'])(
  'refuses a value with a character that is none of HTTP: %j',
  (value) => {
    expect(buildResponseHeaders(new HeaderList(['etag', value]), RULES)).toBeUndefined()
  },
)

it('minds only the headers that would pass', () => {
  expect(buildResponseHeaders(new HeaderList(['x-internal', 'a\nb']), RULES)).toEqual([])
})

it.each([
  ['https://api.vendor.test/repos/1', 'http://gw.test/vendor/repos/1'],
  ['https://other.test/1', 'https://other.test/1'],
  ['not a url %%', 'http://gw.test/vendor/not%20a%20url%20%%'],
])('rewrites the Location %s of something made to %s', (location, expected) => {
  expect(buildResponseHeaders(new HeaderList(['location', location]), RULES)).toEqual(['location', expected])
})
