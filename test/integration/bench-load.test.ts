import { generateKeyPairSync } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { compare } from '../bench/compare/compare.ts'
import type { Row } from '../bench/compare/row.ts'
import { QUICK_EXTENT } from '../bench/compare/turn.ts'
import { createWorld } from '../bench/compare/world.ts'
import { Load } from '../bench/load/load.ts'
import type { LoadPlan } from '../bench/load/plan.ts'
import { createRequestMaker } from '../bench/load/requests.ts'
import { rowResultOf } from '../bench/results/figures.ts'

function planFor(port: number): LoadPlan {
  const [connections, idleConnections] = [1, 0]
  const call = { method: 'GET', target: '/{n}', headers: {}, body: '', agents: [] }
  return { ...call, port, tls: undefined, connections, idleConnections }
}

async function serve(listener: RequestListener): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

it('a stall counts for every call that was due meanwhile', async () => {
  let stallMs = 300
  await using server = await serve((_, response) => {
    setTimeout(() => response.end('ok'), stallMs)
    stallMs = 0
  })
  const plan = planFor(server.port)
  const load = await Load.open(plan)
  const run = { seconds: 0.5, perSecond: 100, calls: 50 }
  const { calls, latenciesMs, latenessMs, statuses } = await load.call(createRequestMaker(plan)(50), run)
  expect([calls, latenessMs.length, statuses]).toEqual([50, 50, { 200: 50 }])
  // Whoever asks only once the last answer is there sees one slow call.
  expect(latenciesMs.filter((ms) => ms > 100).length).toBeGreaterThanOrEqual(15)
})

it('every proof is signed before the clock starts, and used once', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { kty = '', crv = '', x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const key = { publicJwk: { kty, crv, x, y }, privateJwk: privateKey.export({ format: 'jwk' }) }
  const requests = createRequestMaker({ ...planFor(1), agents: [{ token: 'a.b.c', key }] })(3)
  const proofs = [1, 2, 3].map(() => /\r\nDPoP: (\S+)\r\n/.exec(String(requests.next()))?.[1])
  expect(new Set(proofs).size).toBe(3)
  expect(proofs).not.toContain(undefined)
  expect(requests.next()).toBeUndefined()
})

it('a peer that cannot be had is missing, with the reason, and has no figures', async () => {
  await using world = await createWorld()
  const row: Row = {
    name: 'a peer',
    kind: 'peer',
    access: 'read',
    controls: { identity: '–', policy: '–', limits: '–', record: '–' },
    start: () => Promise.reject(new Error('no such program')),
  }
  const compared = await compare([row], world, { extent: QUICK_EXTENT, rounds: 1 })
  expect(compared.map((each) => rowResultOf(each))).toEqual([
    expect.objectContaining({ name: 'a peer', missing: 'no such program', saturated: undefined, paced: [] }),
  ])
})
