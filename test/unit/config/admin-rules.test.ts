import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readText } from '../../../gateway/config/load.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'toolgate-config-'))
  writeFileSync(join(folder, 'bundle.tar.gz'), '')
})
afterAll(() => rmSync(folder, { recursive: true }))

const AUDIENCE = 'https://gateway.example'
const read = (admin: object) => {
  const jwks = { uri: 'https://issuer.example/jwks' }
  const settings = {
    listen: { admin },
    identity: { issuers: [{ issuer: 'https://issuer.example', audiences: [AUDIENCE], jwks }] },
    connectors: { github: { credential: { type: 'none' } } },
    policy: { bundle: 'bundle.tar.gz' },
  }
  return readText(JSON.stringify(settings), { environment: { T: 'token' }, folder })
}
const issuer = (more: object = {}) => ({
  issuer: 'https://login.example',
  audiences: ['https://admin.example'],
  jwks: { uri: 'https://login.example/jwks' },
  ...more,
})
const tls = { certificateFile: 'bundle.tar.gz', keyFile: 'bundle.tar.gz' }
const asking = { ...tls, clientCaFile: 'bundle.tar.gz', clientCertificate: 'request' }
const dana = { uri: 'spiffe://zyx.example/dana', id: 'dana@zyx.example', groups: ['change-approvers'] }

it('takes people by issuer and by certificate, with what they are called as the default', () => {
  const { config, problems } = read({ tls: asking, people: { issuers: [issuer()], certificates: [dana] } })
  expect(problems).toEqual([])
  expect(config.listen.admin.people).toMatchObject({
    issuers: [{ claims: { id: 'sub', groups: 'groups' }, requiredScopes: [] }],
    certificates: [dana],
    operatorGroups: [],
    barred: [],
  })
})

it('needs no shared token off loopback where people are known by certificate', () => {
  expect(read({ host: '0.0.0.0', tls: asking, people: { certificates: [dana] } }).problems).toEqual([])
})

it.each<[string, object, string]>([
  [
    'people who sign in in the clear',
    {
      host: '0.0.0.0',
      token: 'env:T',
      externalOrigins: ['http://admin.example'],
      people: { issuers: [issuer()] },
    },
    'listen.admin.tls',
  ],
  [
    'people who sign in under no name',
    { host: '0.0.0.0', tls, people: { issuers: [issuer()] } },
    'listen.admin.externalOrigins',
  ],
  [
    'an audience that agents have, too',
    { people: { issuers: [issuer({ audiences: [AUDIENCE] })] } },
    'listen.admin.people.issuers.0.audiences',
  ],
  ['an issuer twice', { people: { issuers: [issuer(), issuer()] } }, 'listen.admin.people.issuers.1.issuer'],
  [
    'keys over plain http',
    { people: { issuers: [issuer({ jwks: { uri: 'http://login.example/jwks' } })] } },
    'listen.admin.people.issuers.0.jwks.uri',
  ],
  [
    'certificates that nobody asks for',
    { tls, people: { certificates: [dana] } },
    'listen.admin.people.certificates',
  ],
  [
    'certificates of any authority',
    { tls: { ...tls, clientCertificate: 'request' } },
    'listen.admin.tls.clientCaFile',
  ],
  [
    'a certificate of two people',
    { tls: asking, people: { certificates: [dana, { ...dana, id: 'eve' }] } },
    'listen.admin.people.certificates.1',
  ],
  [
    'a person by two names',
    { tls: asking, people: { certificates: [{ ...dana, subject: 'CN=dana' }] } },
    'listen.admin.people.certificates.0',
  ],
  [
    'a person by none',
    { tls: asking, people: { certificates: [{ id: 'dana' }] } },
    'listen.admin.people.certificates.0',
  ],
  ['a file that is not there', { tls: { ...tls, keyFile: 'nowhere.pem' } }, 'listen.admin.tls.keyFile'],
])('refuses %s', (_what, admin, path) => {
  expect(read(admin).problems.map((problem) => problem.path)).toEqual([path])
})

it('names the two ways to say whose certificate it is', () => {
  const [problem] = read({ tls: asking, people: { certificates: [{ id: 'dana' }] } }).problems
  expect(problem?.reason).toBe('needs exactly one of uri, subject')
})
