import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { prepareBodyLinks, rewriteLinks, rewriteWhole } from '../../../gateway/egress/body-links.ts'
import type { BodySink } from '../../../gateway/egress/upstream.ts'
import { vendorConnector } from '../../harness/upstream.ts'

const CONNECTOR = vendorConnector('https://api.vendor.test', {
  basePath: '/v1',
  links: { header: true, body: true, origins: ['https://api.vendor.test', 'https://uploads.vendor.test'] },
})
const LINKS = prepareBodyLinks(CONNECTOR, 'http://gw.test/vendor')

function whole(text: string): string {
  return rewriteWhole(LINKS, Buffer.from(text)).toString()
}

/** What comes out when the body arrives in these pieces. */
function inPieces(pieces: readonly Buffer[]): string {
  const out: Buffer[] = []
  let ended = 0
  const sink: BodySink = {
    write: (chunk) => out.push(chunk) > 0,
    end: () => void (ended += 1),
    fail: () => undefined,
  }
  const rewriting = rewriteLinks(LINKS, sink)
  for (const piece of pieces) rewriting.write(piece)
  rewriting.end()
  expect(ended).toBe(1)
  return Buffer.concat(out).toString()
}

describe('an address of the upstream at the beginning of a JSON string', () => {
  it.each([
    ['"https://api.vendor.test/v1/users"', '"http://gw.test/vendor/users"'],
    ['"https://uploads.vendor.test/v1/a{?name,label}"', '"http://gw.test/vendor/a{?name,label}"'],
    ['"https://api.vendor.test/v1"', '"http://gw.test/vendor"'],
    ['"https://api.vendor.test/v1?page=2"', '"http://gw.test/vendor?page=2"'],
    [String.raw`"https:\/\/api.vendor.test\/v1\/users"`, String.raw`"http:\/\/gw.test\/vendor\/users"`],
    [String.raw`["\\","https://api.vendor.test/v1/"]`, String.raw`["\\","http://gw.test/vendor/"]`],
    [
      '"https://api.vendor.test/v1/a""https://api.vendor.test/v1/b"',
      '"http://gw.test/vendor/a""http://gw.test/vendor/b"',
    ],
  ])('%s becomes %s', (text, rewritten) => {
    expect(whole(text)).toBe(rewritten)
  })
})

describe('anything else is left alone', () => {
  it.each([
    '"https://api.vendor.test/v2/users"',
    '"https://api.vendor.test/v10/users"',
    '"https://api.vendor.test.evil.test/v1/users"',
    '"https://api.vendor.test/v1.evil"',
    '"http://api.vendor.test/v1/users"',
    '"see https://api.vendor.test/v1/users"',
    String.raw`"say \"https://api.vendor.test/v1/users\""`,
    String.raw`"a\\\"https://api.vendor.test/v1/users"`,
    '"https://api.vendor.test/v1',
    '{"id":12345678901234567890,"a":1.0,"a":2}',
    '',
  ])('%s', (text) => {
    expect(whole(text)).toBe(text)
  })
})

it('gives the same bytes however the body was cut', () => {
  const part = fc.constantFrom(
    '"https://api.vendor.test/v1/x"',
    '"https://api.vendor.test/v1"',
    String.raw`"https:\/\/uploads.vendor.test\/v1\/x"`,
    '"https://api.vendor.test.evil.test/v1/"',
    String.raw`\"https://api.vendor.test/v1/x`,
    '\\',
    '"',
    '"h',
    '"http',
    'https://',
    '{"ü":1}',
    '\ud83d\ude00',
  )
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 12 }),
      fc.array(fc.nat(400), { maxLength: 20 }),
      (parts, cuts) => {
        const body = Buffer.from(parts.join(''))
        const places = [0, ...cuts.map((cut) => cut % (body.length + 1)).sort((a, b) => a - b), body.length]
        const pieces = places.slice(1).map((end, index) => body.subarray(places[index], end))
        expect(inPieces(pieces)).toBe(rewriteWhole(LINKS, body).toString())
      },
    ),
    { numRuns: 2_000 },
  )
})

it('gives the same bytes one by one', () => {
  const body = Buffer.from(
    String.raw`{"a":"https://api.vendor.test/v1/x","b":"\"https://api.vendor.test/v1/x","c":"http"}`,
  )
  expect(inPieces([...body].map((byte) => Buffer.of(byte)))).toBe(rewriteWhole(LINKS, body).toString())
})

it('holds back no more than one address', () => {
  let heard = 0
  const sink: BodySink = {
    write: (chunk) => (heard += chunk.length) > 0,
    end: () => undefined,
    fail: () => undefined,
  }
  const rewriting = rewriteLinks(LINKS, sink)
  const text = '{"url":"https://api.vendor.test/v1/x"}'
  let given = 0
  for (let round = 0; round < 1_000; round += 1) {
    for (const byte of Buffer.from(text)) {
      rewriting.write(Buffer.of(byte))
      given += 1
      const shorterBy = (round + 1) * ('https://api.vendor.test/v1'.length - 'http://gw.test/vendor'.length)
      expect(given - heard).toBeLessThan(40 + shorterBy)
    }
  }
})
