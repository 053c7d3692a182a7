import { createHash, createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBundle } from '../../../gateway/policy/bundles/bundle.ts'
import { BundleError } from '../../../gateway/policy/bundles/bundle-error.ts'
import { createBundleVerifier, readVerification } from '../../../gateway/policy/bundles/signature.ts'
import { bundleOf, createBundleKey, entriesOf, signedBundle } from '../../harness/signed-bundle.ts'
import { encode, signCompact, signEncoded } from '../../harness/signing.ts'
import {
  altered,
  claiming,
  claims,
  fileOf,
  key,
  listed,
  NOW_MS,
  signatures,
  signed,
  startVerifications,
  token,
  type Verifications,
} from './altered-bundle.ts'

let verifications: Verifications
let configOf: Verifications['configOf']
let open: Verifications['open']
beforeAll(async () => {
  verifications = await startVerifications()
  ;({ configOf, open } = verifications)
})
afterAll(() => verifications[Symbol.asyncDispose]())

describe('a signed bundle is refused when', () => {
  test('one byte of any file is another', async () => {
    const config = await configOf(key, { scope: 'prod' })
    const verify = createBundleVerifier(readVerification(config), NOW_MS)
    const entries = entriesOf(signed)
    for (const [name, content] of entries) {
      const step = name === 'policy.wasm' ? 9973 : 1
      for (let place = 0; place < content.length; place += step) {
        if (/\s/.test(String.fromCharCode(content[place] ?? 0))) continue
        const copy = Buffer.from(content)
        copy[place] = (copy[place] ?? 0) ^ 0x01
        const mutant = new Map([...entries, [name, copy]])
        expect(() => verify(mutant), `${name} at ${place}`).toThrow(BundleError)
      }
    }
  })

  test.each<[string, () => Buffer]>([
    ['it is not signed', () => altered({ '.signatures.json': undefined })],
    ['a file is missing', () => altered({ 'gateway/decision.rego': undefined })],
    ['the data is missing', () => altered({ 'data.json': undefined })],
    ['a file was added', () => altered({ 'gateway/more.rego': 'package gateway.more' })],
    [
      'a file was renamed',
      () =>
        altered({
          'gateway/decision.rego': undefined,
          'gateway/other.rego': fileOf('gateway/decision.rego'),
        }),
    ],
    ['a number is written otherwise', () => altered({ 'data.json': '{"registry":{"a":{"y":1e2},"b":2.5}}' })],
    [
      'a number is as large, but another text',
      () => altered({ 'data.json': '{"registry":{"a":{"y":100},"b":2.50}}' }),
    ],
    [
      'a name is there twice, the last as signed',
      () => altered({ 'data.json': '{"registry":{"a":{"y":1e2},"b":9,"b":2.50}}' }),
    ],
    [
      'the data has an order mark before it',
      () => altered({ 'data.json': `\ufeff${String(fileOf('data.json'))}` }),
    ],
    ['the data has more after it', () => altered({ 'data.json': `${String(fileOf('data.json'))}{}` })],
    ['the data is a list', () => altered({ 'data.json': '[]' })],
    [
      'the data is nested too deeply',
      () => altered({ 'data.json': `{"registry":${'['.repeat(200)}${']'.repeat(200)}}` }),
    ],
    [
      'the manifest claims other roots',
      () => altered({ '.manifest': String(fileOf('.manifest')).replace('registry', 'registrx') }),
    ],
    [
      'the manifest claims another revision',
      () => altered({ '.manifest': String(fileOf('.manifest')).replace('"signed"', '"newer"') }),
    ],
    [
      'the list of signatures is cut short',
      () => altered({ '.signatures.json': fileOf('.signatures.json').subarray(0, 200) }),
    ],
    ['the list of signatures is empty', () => altered({ '.signatures.json': signatures() })],
    ['there are two signatures', () => altered({ '.signatures.json': signatures(token(), token()) })],
    ['the signature is no text', () => altered({ '.signatures.json': signatures({}) })],
    [
      'a plugin signed it',
      () => altered({ '.signatures.json': JSON.stringify({ signatures: [token()], plugin: 'own' }) }),
    ],
    [
      'there is more of it than is read',
      () => altered({ '.signatures.json': `${signatures(token())}${' '.repeat(5 << 20)}` }),
    ],
    [
      'the token has two parts',
      () => altered({ '.signatures.json': signatures(token().split('.').slice(0, 2).join('.')) }),
    ],
    ['the token has four parts', () => altered({ '.signatures.json': signatures(`${token()}.e30`) })],
    ['the token is padded', () => altered({ '.signatures.json': signatures(`${token()}=`) })],
    [
      'the signature is empty',
      () => altered({ '.signatures.json': signatures(token().replace(/[^.]+$/, '')) }),
    ],
    [
      'the token says none',
      () => altered({ '.signatures.json': signatures(`${encode({ alg: 'none' })}.${encode(claims())}.`) }),
    ],
    ['the public key served as a secret', () => altered({ '.signatures.json': signatures(hmacToken()) })],
    ['the header says another algorithm of the same key', () => claiming({}, { alg: 'ES384' })],
    ['the header says none under a good signature', () => claiming({}, { alg: 'none' })],
    ['the header has critical extensions', () => claiming({}, { crit: ['b64'], b64: false })],
    [
      'the header is no JSON',
      () =>
        altered({
          '.signatures.json': signatures(
            signEncoded(Buffer.from('{').toString('base64url'), encode(claims()), key),
          ),
        }),
    ],
    ['it is signed for no scope', () => claiming({ scope: undefined })],
    ['it is signed for another scope', () => claiming({ scope: 'test' })],
    ['its scope is no text', () => claiming({ scope: ['prod'] })],
    ['it is signed until a moment that is over', () => claiming({ exp: NOW_MS / 1000 })],
    ['it is signed until a moment that is none', () => claiming({ exp: 'never' })],
    ['no files are signed', () => claiming({ files: undefined })],
    ['a file is listed twice', () => claiming({ files: [...listed(), listed()[0]] })],
    ['a file is listed that is none', () => claiming({ files: [...listed(), null] })],
    ['a file is listed without a hash', () => claiming({ files: rehashed({ hash: '' }) })],
    ['a file is listed with half a hash', () => claiming({ files: rehashed({ hash: 'ab' }) })],
    [
      'a file is hashed with MD5',
      () => claiming({ files: rehashed({ algorithm: 'MD5', hash: md5('data.json') }) }),
    ],
    ['a file is hashed with nothing', () => claiming({ files: rehashed({ algorithm: undefined }) })],
    [
      'it is signed from outside its folder',
      () => claiming({ files: [...listed(), { ...listed()[0], name: '../etc/passwd' }] }),
    ],
  ])('%s', async (_, make) => {
    await expect(open(make())).rejects.toMatchObject({ name: 'BundleError', problem: 'signature' })
  })

  test('another algorithm, scope or name of the key is configured', async () => {
    await expect(open(signed, { scope: '' })).rejects.toMatchObject({ problem: 'signature' })
    await expect(open(signed, { scope: 'Prod' })).rejects.toMatchObject({ problem: 'signature' })
    await expect(open(claiming({ keyid: 'k1' }), { keyId: 'k2' })).rejects.toMatchObject({
      problem: 'signature',
    })
    await expect(open(claiming({ keyid: undefined }), { keyId: 'k1' })).rejects.toMatchObject({
      problem: 'signature',
    })
    const rsa = createBundleKey('RS256')
    const bundle = await signedBundle({ key: rsa })
    const asPss = { ...rsa, algorithm: 'PS256' } as const
    await expect(open(bundle, { scope: '' }, asPss)).rejects.toMatchObject({ problem: 'signature' })
  })

  test('it is cut short, or larger than allowed, before its signature is looked at', async () => {
    const verify = createBundleVerifier(readVerification(await configOf(key, { scope: 'prod' })), NOW_MS)
    const limits = { maxCompressedBytes: 1 << 20, maxBytes: 1 << 16, maxEntries: 10 }
    await expect(openBundle(signed.subarray(0, -20), { verify })).rejects.toMatchObject({
      problem: 'archive',
    })
    await expect(openBundle(signed, { verify, limits })).rejects.toMatchObject({ problem: 'archive' })
    const climbing = bundleOf([...entriesOf(signed), ['../escape.rego', 'package x']])
    await expect(openBundle(climbing, { verify })).rejects.toMatchObject({ problem: 'archive' })
  })

  test('a good signature covers what no bundle may hold', async () => {
    const foreign = { 'data.json': '{"registry":{},"foreign":{}}' }
    await expect(open(resigned(foreign))).rejects.toMatchObject({ problem: 'data' })
    const roots = String(fileOf('.manifest')).replace('"registry"', '""')
    await expect(open(resigned({ '.manifest': roots }))).rejects.toMatchObject({ problem: 'manifest' })
    await expect(open(resigned({ 'plan.json': '{}' }))).rejects.toMatchObject({ problem: 'archive' })
  })
})

function hmacToken(): string {
  const input = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims())}`
  return `${input}.${createHmac('sha256', key.publicPem).update(input).digest('base64url')}`
}

function rehashed(change: Readonly<Record<string, unknown>>): unknown {
  return listed().map((file) => (file['name'] === 'data.json' ? { ...file, ...change } : file))
}

function md5(name: string): string {
  return createHash('md5').update(fileOf(name)).digest('hex')
}

/** Other files under a good signature; their JSON has to be canonical already. */
function resigned(changes: Readonly<Record<string, string>>): Buffer {
  const hashes = Object.entries(changes).map(([name, content]) => ({
    name,
    algorithm: 'SHA-256',
    hash: createHash('sha256').update(sorted(content)).digest('hex'),
  }))
  const others = listed().filter(({ name }) => !Object.hasOwn(changes, String(name)))
  const forged = signCompact({ alg: 'ES256' }, { ...claims(), files: [...others, ...hashes] }, key)
  return altered({ ...changes, '.signatures.json': signatures(forged) })
}

function sorted(json: string): string {
  return JSON.stringify(sort(JSON.parse(json)))
}

function sort(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sort)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1))
  return Object.fromEntries(members.map(([name, member]) => [name, sort(member)]))
}
