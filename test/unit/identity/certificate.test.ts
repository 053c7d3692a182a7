import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeCertificate, isSpiffeId } from '../../../gateway/identity/certificate.ts'
import { createPki } from '../../harness/pki.ts'
import type { CertificateOptions, Pki } from '../../harness/pki.ts'

const AGENT = 'spiffe://zyx.example/agent/reviewer'
let pki: Pki

beforeAll(() => {
  pki = createPki()
})
afterAll(async () => {
  await pki[Symbol.asyncDispose]()
})

const urisOf = (options: CertificateOptions): readonly string[] =>
  describeCertificate(new X509Certificate(pki.client(options).cert)).uris

describe('the names of a certificate', () => {
  test('are its SPIFFE ID, with DNS names beside it', () => {
    expect(urisOf({ uris: [AGENT], dnsNames: ['agent.zyx.example'] })).toEqual([AGENT])
  })

  test('may be other URIs', () => {
    expect(urisOf({ uris: ['https://zyx.example/a', 'urn:b'] })).toEqual(['https://zyx.example/a', 'urn:b'])
  })

  test.each<[what: string, options: CertificateOptions]>([
    ['two SPIFFE IDs', { uris: [AGENT, 'spiffe://zyx.example/agent/other'] }],
    ['a SPIFFE ID beside another URI', { uris: [AGENT, 'https://zyx.example'] }],
    ['a SPIFFE ID on an authority', { uris: [AGENT], ca: true, keyUsage: 'absent' }],
    ['a SPIFFE ID that signs certificates', { uris: [AGENT], keyUsage: 'signs certificates' }],
    ['a trust domain alone', { uris: ['spiffe://zyx.example'] }],
    ['a scheme in capitals', { uris: ['SPIFFE://zyx.example/agent'] }],
    ['a name that holds the separator of the line it is read from', { uris: [`x, URI:${AGENT}`] }],
  ])('are none with %s', (_what, options) => {
    expect(urisOf(options)).toEqual([])
  })
})

describe('a SPIFFE ID', () => {
  test.each([
    'spiffe://zyx.example/',
    'spiffe://zyx.example/a/',
    'spiffe://zyx.example//a',
    'spiffe://zyx.example/../a',
    'spiffe://zyx.example/./a',
    'spiffe://ZYX.example/a',
    'spiffe://zyx.example:443/a',
    'spiffe://user@zyx.example/a',
    'spiffe://zyx.example/a?b',
    'spiffe://zyx.example/a#b',
    'spiffe://zyx.example/%61',
    `spiffe://zyx.example/${'a'.repeat(2048)}`,
  ])('is not %s', (text) => {
    expect(isSpiffeId(text)).toBe(false)
  })
})
