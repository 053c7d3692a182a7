import { describe, expect, it } from 'vitest'
import { HeaderList } from '../../../gateway/lib/header-list.ts'
import { readFraming } from '../../../gateway/listen/rules/framing.ts'
import { judgeHeaderSection } from '../../../gateway/listen/rules/header-section.ts'

function headers(...flat: string[]): HeaderList {
  return new HeaderList(['Host', 'gateway.zyx.example', ...flat])
}

describe('A header section', () => {
  it.each([
    ['nothing but Host', headers()],
    ['an IPv6 Host with a port', new HeaderList(['host', '[::1]:8080'])],
    [
      'two Authorization headers, which identify answers with a challenge',
      headers('Authorization', 'a', 'authorization', 'b'),
    ],
    ['two DPoP headers, likewise', headers('DPoP', 'a', 'DPoP', 'b')],
    ['several Accept headers, a list', headers('Accept', 'a/b', 'Accept', 'c/d')],
    ['hop-by-hop options', headers('Connection', 'keep-alive, TE', 'TE', 'trailers')],
    ['a hundred headers', new HeaderList(['Host', 'a', ...Array<string>(198).fill('a')])],
  ])('passes with %s', (_, list) => {
    expect(judgeHeaderSection(list)).toBeUndefined()
  })

  it.each([
    'Content-Length',
    'Content-Type',
    'Content-Encoding',
    'Transfer-Encoding',
    'Expect',
    'traceparent',
    'Range',
    'Idempotency-Key',
    'Toolgate-Task',
    'Toolgate-Rationale',
    'Toolgate-Ticket',
    'Toolgate-Rollback-Plan',
    'Toolgate-Approval',
  ])('is refused with %s twice', (name) => {
    expect(judgeHeaderSection(headers(name, 'a', name.toUpperCase(), 'a'))).toMatchObject({
      code: 'request.ambiguous',
    })
  })

  it.each(['__proto__', 'x_forwarded_for', 'client_cert', 'Content_Length'])('is refused with %s', (name) => {
    expect(judgeHeaderSection(headers(name, 'a'))).toMatchObject({ code: 'request.ambiguous' })
  })

  it.each(['Authorization', 'content-type', 'close, Toolgate-Task', 'Upgrade', 'Transfer-Encoding'])(
    'is refused when Connection names %s',
    (name) => {
      expect(judgeHeaderSection(headers('Connection', name))).toMatchObject({ code: 'request.ambiguous' })
    },
  )

  it.each(['', ' ', 'a b', 'a,b', 'a:b', 'a:', 'http://a', 'a@b', '[::1', '[::g]', 'a'.repeat(300)])(
    'is refused with the Host "%s"',
    (host) => {
      expect(judgeHeaderSection(new HeaderList(['Host', host]))).toMatchObject({ code: 'request.malformed' })
    },
  )
})

describe('The framing', () => {
  const framed = (method: string, list: HeaderList, httpVersion = '1.1') =>
    readFraming({ method, httpVersion, headers: list })

  it.each([
    ['no body', 'GET', headers(), 0],
    ['an empty body', 'GET', headers('Content-Length', '0'), 0],
    ['a body of known length', 'POST', headers('Content-Length', '12'), 12],
    ['a DELETE with a body', 'DELETE', headers('Content-Length', '2'), 2],
    ['chunks', 'PUT', headers('Transfer-Encoding', 'Chunked'), undefined],
    ['an expectation', 'POST', headers('Expect', '100-Continue', 'Content-Length', '1'), 1],
  ])('is read for %s', (_, method, list, declaredBytes) => {
    expect(framed(method, list)).toEqual({ ok: true, value: declaredBytes })
  })

  it.each([
    [
      'both lengths',
      'POST',
      headers('Content-Length', '1', 'Transfer-Encoding', 'chunked'),
      'request.ambiguous',
    ],
    ['another coding', 'POST', headers('Transfer-Encoding', 'gzip'), 'request.malformed'],
    ['a negative length', 'POST', headers('Content-Length', '-1'), 'request.malformed'],
    ['a length in hexadecimal', 'POST', headers('Content-Length', '0x1'), 'request.malformed'],
    ['an endless length', 'POST', headers('Content-Length', '9'.repeat(16)), 'request.malformed'],
    ['chunks with GET', 'GET', headers('Transfer-Encoding', 'chunked'), 'request.ambiguous'],
    ['a body with OPTIONS', 'OPTIONS', headers('Content-Length', '1'), 'request.ambiguous'],
    ['TRACE', 'TRACE', headers(), 'route.unknown_operation'],
    ['a method in lower case', 'get', headers(), 'route.unknown_operation'],
    ['an expectation of another kind', 'POST', headers('Expect', 'x'), 'request.expectation_unsupported'],
  ])('is refused for %s', (_, method, list, code) => {
    expect(framed(method, list)).toMatchObject({ ok: false, refusal: { code } })
  })

  it('is refused for chunks in HTTP/1.0, and for HTTP/2.0', () => {
    expect(framed('POST', headers('Transfer-Encoding', 'chunked'), '1.0')).toMatchObject({ ok: false })
    expect(framed('GET', headers(), '2.0')).toMatchObject({ ok: false })
  })
})
