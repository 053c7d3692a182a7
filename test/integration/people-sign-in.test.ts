import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Actor } from '../../gateway/control/actor.ts'
import { createControlPlane } from '../../gateway/control/control-plane.ts'
import { adminTls, type TestAdmin, startTestAdmin } from '../harness/admin.ts'
import { type AuthorizationServer, startAuthorizationServer } from '../harness/authorization-server.ts'
import { createPki, type Pki } from '../harness/pki.ts'
import { createProofKey, signProof } from '../harness/proof.ts'
import { toolgateHere } from '../harness/run-here.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.ts'
import { trustingFetch } from '../harness/trusting-fetch.ts'

const PRIYA = 'priya@zyx.example'
const CERTIFIED = 'spiffe://zyx.example/people/tomas'
const actors: Actor[] = []

let pki: Pki
let server: AuthorizationServer
let admin: TestAdmin
let folder: TemporaryDirectory
let origin = ''
beforeAll(async () => {
  pki = createPki()
  folder = await temporaryDirectory()
  server = await startAuthorizationServer({
    pki,
    claims: { groups: ['change-approvers'], acr: 'phr', amr: ['hwk'] },
  })
  const { issuer, audiences, algorithms, jwks, clockSkewMs } = server.config
  admin = await startTestAdmin(
    {
      tls: adminTls(pki),
      people: {
        issuers: [
          {
            issuer,
            audiences,
            algorithms,
            jwks,
            claims: { id: 'sub', groups: 'groups' },
            requiredScopes: ['tools:read'],
            clockSkewMs,
          },
        ],
        certificates: [{ uri: CERTIFIED, subject: undefined, id: 'tomas@zyx.example', groups: [] }],
        operatorGroups: [],
        barred: [],
      },
      token: 'operators',
    },
    createControlPlane({
      routes: [
        {
          method: 'GET',
          pattern: 'approvals',
          answer({ actor }) {
            actors.push(actor)
            return { status: 200, body: { approvals: [] } }
          },
        },
      ],
      channels: [],
      onFault: () => undefined,
    }),
  )
  origin = `https://127.0.0.1:${admin.port}`
})
afterAll(async () => {
  for (const part of [admin, server, folder, pki]) await part[Symbol.asyncDispose]()
})

describe('a person who signed in at a real authorization server', () => {
  it('is known to the command line by the token they got', async () => {
    const file = join(folder.path, 'token')
    await writeFile(file, await server.personToken(PRIYA))
    const options = ['--admin', origin, '--ca', pki.caFile, '--token-file', file]
    const { exitCode, complained } = await toolgateHere(['approvals', 'list', ...options])
    expect([exitCode, complained]).toEqual([0, 'there is no such approval\n'])
    expect(actors.at(-1)).toEqual({
      kind: 'person',
      person: {
        id: PRIYA,
        issuer: server.issuer,
        groups: ['change-approvers'],
        channel: 'admin',
        authentication: 'acr=phr amr=hwk',
      },
    })
  })

  it('is known to the command line by a certificate as well', async () => {
    const { certFile, keyFile } = pki.client({ uris: [CERTIFIED] })
    const options = ['--admin', origin, '--ca', pki.caFile, '--cert', certFile, '--key', keyFile]
    expect((await toolgateHere(['approvals', 'list', ...options])).exitCode).toBe(0)
    expect(actors.at(-1)).toMatchObject({ person: { id: 'tomas@zyx.example', authentication: 'mtls' } })
  })

  it('is told from a program that has a token of the same server, bound or not', async () => {
    const key = createProofKey()
    const token = await server.dpopToken(key)
    const url = `${origin}/admin/v1/approvals`
    const send = trustingFetch(pki)
    const reply = await send(url, {
      headers: { authorization: `DPoP ${token}`, dpop: signProof({ key, method: 'GET', url, token }) },
    })
    expect([reply.status, await reply.text()]).toEqual([403, expect.stringContaining('a program')])
  })
})
