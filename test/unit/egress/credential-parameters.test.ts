import { describe, expect, it } from 'vitest'
import { misplacedCredential, misplacedParameter } from '../../../gateway/egress/credential-parameters.ts'
import type { ReadBody } from '../../../gateway/exchange.ts'
import { vendorConnector } from '../../harness/upstream.ts'

const CONNECTOR = vendorConnector('https://slack.test', {
  credentialParameters: { query: ['token', 'access_token'], body: ['token'] },
})

function body(kind: ReadBody['kind'], text: string): ReadBody {
  return { kind, bytes: Buffer.from(text), stream: undefined, digest: '' }
}

it.each([
  'token=x',
  'a=b&token=x',
  'token',
  'TOKEN=x',
  'tok%65n=x',
  'a=b;token=x',
  'token[]=x',
  '&&access_token=',
  '+token=x',
])('finds a credential in the query %s', (query) => {
  expect(misplacedParameter(query, ['token', 'access_token'])).toBeDefined()
})

it.each(['', 'tokens=x', 'a=token', 'page_token=x', 'next=token%3Dx', 'tok%2565n=x', '%ff=x'])(
  'finds none in the query %s',
  (query) => {
    expect(misplacedParameter(query, ['token', 'access_token'])).toBeUndefined()
  },
)

describe('bodies', () => {
  it.each([
    ['form', 'channel=C1&token=xoxb'],
    ['json', '{"channel":"C1","token":"xoxb"}'],
    ['json', String.raw`{"t\u006fken":"xoxb"}`],
  ] as const)('finds a credential in the %s %s', (kind, text) => {
    expect(misplacedCredential(CONNECTOR, '', body(kind, text))).toBe('token')
  })

  it.each([
    ['form', 'channel=C1&text=token%3D'],
    ['json', '{"text":"\\"token\\"","nested":{"token":1}}'],
    ['json', '["token"]'],
    ['json', 'null'],
    ['opaque', 'token=x'],
    ['none', ''],
  ] as const)('finds none in the %s %s', (kind, text) => {
    expect(misplacedCredential(CONNECTOR, '', body(kind, text))).toBeUndefined()
  })
})
