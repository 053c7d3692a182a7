import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { assertNever } from '../../lib/assert-never.ts'
import { REQUEST_LIMIT_BYTES } from './add-checkpoint.ts'
import type { Witness, WitnessAnswer } from './witness.ts'

export interface WitnessServerOptions {
  readonly host: string
  readonly port: number
  /** PEM; plain HTTP without it. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined
  /** Told of what the witness could not do; those who asked hear 500. */
  readonly onFault: (cause: unknown) => void
}

export interface WitnessServer extends AsyncDisposable {
  readonly port: number
}

interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const LIMITS = { maxHeaderSize: 8_192, headersTimeout: 10_000, requestTimeout: 10_000 }

/** Serves `POST /add-checkpoint` to whoever asks: what counts is the signature on the checkpoint. */
export async function startWitnessServer(
  witness: Pick<Witness, 'addCheckpoint'>,
  { host, port, tls, onFault }: WitnessServerOptions,
): Promise<WitnessServer> {
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    void replyTo(request, witness)
      .catch((cause: unknown): Reply => {
        onFault(cause)
        return text(500, 'the witness cannot keep what it would sign')
      })
      .then(({ status, headers, body }) => response.writeHead(status, headers).end(body))
  }
  const server =
    tls === undefined
      ? createServer(LIMITS, onRequest)
      : createTlsServer({ ...LIMITS, ...tls, minVersion: 'TLSv1.2' }, onRequest)
  server.maxConnections = 256
  server.listen(port, host)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      await closed
    },
  }
}

async function replyTo(request: IncomingMessage, witness: Pick<Witness, 'addCheckpoint'>): Promise<Reply> {
  if (request.url !== '/add-checkpoint') return text(404, 'no such resource')
  if (request.method !== 'POST') return text(405, 'only POST', { allow: 'POST' })
  const untrusted = await readBody(request)
  if (untrusted === undefined) return text(413, 'the request is too large', { connection: 'close' })
  const untrustedBody = decodeUtf8(untrusted)
  return untrustedBody === undefined
    ? statusOf({ kind: 'malformed' })
    : statusOf(await witness.addCheckpoint(untrustedBody))
}

/** @see https://c2sp.org/tlog-witness "add-checkpoint" */
function statusOf(answer: WitnessAnswer): Reply {
  switch (answer.kind) {
    case 'cosigned':
      return {
        status: 200,
        headers: { 'content-type': 'text/plain; charset=utf-8' },
        body: answer.signatureLine,
      }
    case 'malformed':
      return text(400, 'this is no add-checkpoint request')
    case 'unsigned':
      return text(403, 'no key of this log signed the checkpoint')
    case 'unknown_origin':
      return text(404, 'this log is not witnessed here')
    case 'conflict':
      return {
        status: 409,
        headers: { 'content-type': 'text/x.tlog.size' },
        body: `${String(answer.size)}\n`,
      }
    case 'inconsistent':
      return text(422, 'the proof does not show that the log has grown')
    default:
      return assertNever(answer)
  }
}

function text(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, headers: { 'content-type': 'text/plain', ...headers }, body: `${body}\n` }
}

/** The body, `undefined` when it is larger than any request; no more than that is held. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  // The connection stays, so that the answer can be sent.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > REQUEST_LIMIT_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function decodeUtf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
