import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect, it } from 'vitest'
import { startIssuer } from '../harness/issuer.ts'
import { compileRules } from '../harness/opa.ts'
import { ALLOW_EVERYTHING } from '../harness/permissive-rules.ts'
import { createProofKey, signProof } from '../harness/proof.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'
import { freePorts } from '../harness/free-ports.ts'
import { configFileIn, runToolgate, untilReady } from '../harness/toolgate-process.ts'

const MEGABYTE = 1_048_576
const WARM_UP_BYTES = 128 * MEGABYTE
const STREAMED_BYTES = 512 * MEGABYTE
const GROWTH_LIMIT_BYTES = 50 * MEGABYTE
const SAMPLE_MS = 20
const PIECE = Buffer.alloc(64 * 1_024, 'x')
const DOWNLOAD = '/github/repos/zyx/platform-infra/pulls/991'
const UPLOAD = '/github/repos/zyx/platform-infra/releases/1/assets?name=app.zip'

it.each([
  ['down', 'GET', DOWNLOAD],
  ['up', 'POST', UPLOAD],
] as const)(
  'the memory of the gateway stays flat while half a gigabyte streams %s',
  async (_, method, target) => {
    await using upstream = await startEndlessUpstream()
    await using gateway = await startGatewayBefore(upstream.origin)
    const stream = (sizeBytes: number): Promise<number> => {
      upstream.replyBytes = method === 'GET' ? sizeBytes : 0
      return gateway.call(method, target, method === 'GET' ? 0 : sizeBytes)
    }
    await stream(WARM_UP_BYTES)
    const before = residentBytesOf(gateway.pid)
    let most = before
    const sampling = setInterval(() => (most = Math.max(most, residentBytesOf(gateway.pid))), SAMPLE_MS)
    const relayed = await stream(STREAMED_BYTES)
    clearInterval(sampling)
    expect(method === 'GET' ? relayed : upstream.receivedBytes() - WARM_UP_BYTES).toBe(STREAMED_BYTES)
    expect(most - before).toBeLessThan(GROWTH_LIMIT_BYTES)
  },
)

/** Takes whatever comes and answers with as many bytes as it is told. */
async function startEndlessUpstream() {
  let received = 0
  const upstream = {
    origin: '',
    replyBytes: 0,
    receivedBytes: () => received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await once(server.close(), 'close')
    },
  }
  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    for await (const chunk of incoming as AsyncIterable<Buffer>) received += chunk.length
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'content-length': upstream.replyBytes,
    })
    await pipeline(Readable.from(pieces(upstream.replyBytes), { objectMode: false }), response)
  }
  const server = createServer((incoming, response) => {
    answer(incoming, response).catch(() => response.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  upstream.origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`
  return upstream
}

async function startGatewayBefore(upstreamOrigin: string) {
  await using stack = new AsyncDisposableStack()
  const directory = stack.use(await temporaryDirectory())
  const issuer = stack.use(await startIssuer())
  const [port = 0, adminPort = 0] = await freePorts(2)
  const bundle = join(directory.path, 'bundle.tar.gz')
  await writeFile(bundle, await compileRules(ALLOW_EVERYTHING))
  const settings = {
    listen: { port, admin: { port: adminPort } },
    identity: {
      issuers: [{ issuer: issuer.issuer, audiences: issuer.config.audiences, jwks: { uri: issuer.jwksUri } }],
    },
    policy: { bundle },
    connectors: {
      github: {
        origin: upstreamOrigin,
        credential: { type: 'bearer', token: 'env:GITHUB' },
        allowAddresses: ['127.0.0.0/8'],
        bodyLimitBytes: STREAMED_BYTES,
      },
    },
    audit: { directory: join(directory.path, 'audit') },
    telemetry: { logDestination: join(directory.path, 'log', 'gateway.log') },
  }
  // JSON is YAML.
  await writeFile(configFileIn(directory.path), JSON.stringify(settings))
  const gateway = stack.use(
    runToolgate(['start', '--config', configFileIn(directory.path)], { GITHUB: 'token-of-the-test' }),
  )
  await untilReady(gateway, adminPort)
  const key = createProofKey()
  const token = issuer.token({ jkt: key.jkt })
  const origin = `http://127.0.0.1:${String(port)}`
  const owned = stack.move()
  return {
    pid: gateway.child.pid ?? 0,
    /** Sends so many bytes, and resolves with how many came back. */
    async call(method: string, target: string, bodyBytes: number): Promise<number> {
      const dpop = signProof({ key, method, url: origin + target, token })
      const headers = { authorization: `DPoP ${token}`, dpop, 'user-agent': 'test' }
      const content = { 'content-type': 'application/zip', 'content-length': bodyBytes }
      const sent = request(origin + target, {
        method,
        headers: bodyBytes === 0 ? headers : { ...headers, ...content },
      })
      const replied = once(sent, 'response') as Promise<[IncomingMessage]>
      await pipeline(Readable.from(pieces(bodyBytes), { objectMode: false }), sent)
      const [reply] = await replied
      expect(reply.statusCode).toBe(200)
      let relayed = 0
      for await (const chunk of reply as AsyncIterable<Buffer>) relayed += chunk.length
      return relayed
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function* pieces(sizeBytes: number): Generator<Buffer> {
  for (let left = sizeBytes; left > 0; left -= PIECE.length) yield PIECE.subarray(0, left)
}

/** Linux tells it in kibibytes. */
function residentBytesOf(pid: number): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8')
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  if (kibibytes === undefined) throw new Error('the process has no resident memory')
  return Number(kibibytes) * 1_024
}
