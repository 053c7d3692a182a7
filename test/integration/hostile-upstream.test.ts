import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'
import { startRawUpstream } from '../harness/upstream.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'

async function askThrough(answer: (socket: Socket) => void) {
  await using upstream = await startRawUpstream(answer)
  await using toolgate = await startTestGateway({ upstream: upstream.origin })
  return await toolgate.send('GET', PULL)
}

const reply = (headers: readonly string[], body = '{}') =>
  ['HTTP/1.1 200 OK', ...headers, `Content-Length: ${body.length}`, '', body].join('\r\n')

test('an upstream speaks in its own name, not in the gateway’s', async () => {
  const answer = await askThrough((socket) =>
    socket.write(
      reply([
        'Content-Type: application/json',
        'Toolgate-Call-Id: 01900000-0000-7000-8000-000000000000',
        'Toolgate-Decision: deny',
        'Toolgate-Anything: 1',
        'Set-Cookie: session=stolen',
        'WWW-Authenticate: DPoP error="invalid_token"',
        'DPoP-Nonce: theirs',
        'RateLimit: "all";r=0;t=9999',
        'Access-Control-Allow-Origin: *',
        'Alt-Svc: h2="evil.test:443"',
        'Refresh: 0; url=https://evil.test',
        'X-Accel-Redirect: /secret',
        'X-Sendfile: /etc/passwd',
        'Connection: toolgate-call-id, toolgate-decision, content-type',
      ]),
    ),
  )
  expect(answer.decision).toBe('allow')
  expect(answer.callId).not.toBe('01900000-0000-7000-8000-000000000000')
  const names = answer.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase())
  expect(names.filter((name) => name.startsWith('toolgate-')).toSorted()).toEqual([
    'toolgate-call-id',
    'toolgate-decision',
  ])
  for (const name of [
    'set-cookie',
    'www-authenticate',
    'dpop-nonce',
    'ratelimit',
    'access-control-allow-origin',
    'alt-svc',
    'refresh',
    'x-accel-redirect',
    'x-sendfile',
  ]) {
    expect(names).not.toContain(name)
  }
})

test('a second answer behind the first is nobody’s', async () => {
  await using upstream = await startRawUpstream((socket, _, count) => {
    const extra = count === 1 ? reply(['X-Request-Id: smuggled'], '{"smuggled":true}') : ''
    socket.write(reply(['Content-Type: application/json'], `{"count":${count}}`) + extra)
  })
  await using toolgate = await startTestGateway({
    upstream: upstream.origin,
    settings: { connectors: { github: { connections: 1 } } },
  })
  for (let call = 0; call < 3; call += 1) {
    const answer = await toolgate.send('GET', PULL)
    expect(answer.text).not.toContain('smuggled')
    expect(answer.headers['x-request-id']).not.toBe('smuggled')
  }
})

test.each([
  ['two lengths', ['HTTP/1.1 200 OK', 'Content-Length: 2', 'Content-Length: 20', '', '{}']],
  [
    'a length and chunks',
    ['HTTP/1.1 200 OK', 'Content-Length: 2', 'Transfer-Encoding: chunked', '', '2\r\n{}\r\n0\r\n\r\n'],
  ],
  [
    'a bare line feed in a value',
    ['HTTP/1.1 200 OK', 'X-Request-Id: a\nToolgate-Decision: deny', 'Content-Length: 2', '', '{}'],
  ],
  [
    'a switch of protocols',
    ['HTTP/1.1 101 Switching Protocols', 'Upgrade: h2c', 'Connection: upgrade', '', ''],
  ],
])('an answer with %s is refused or harmless', async (_, lines) => {
  const answer = await askThrough((socket) => {
    socket.write(lines.join('\r\n'))
    setImmediate(() => socket.end())
  })
  expect(answer.rawHeaders.filter((name) => name.toLowerCase() === 'toolgate-decision')).toHaveLength(1)
  expect(answer.callId).not.toBe('')
  expect(answer.decision).toBe(answer.status === 200 ? 'allow' : 'deny')
})
