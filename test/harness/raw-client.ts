import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { ConnectionOptions } from 'node:tls'

/** One HTTP/1.1 response as it stood on the wire. */
export interface RawResponse {
  readonly status: number
  /** Flat name, value list, in order and case of the wire. */
  readonly headers: readonly string[]
  readonly body: Buffer
  /** The only value of a header; throws when there are several. */
  readonly header: (name: string) => string | undefined
}

/** A client that sends exactly the bytes it is told to, and nothing else. */
export interface RawClient extends AsyncDisposable {
  readonly socket: Socket
  /** One byte for each character. */
  readonly send: (bytes: string | Buffer) => void
  /** The next response; interim ones (1xx) count as responses. Rejects when the connection ends before it is whole. */
  readonly response: (options?: { readonly toHead?: boolean }) => Promise<RawResponse>
  /** Settles when the other side has closed the connection, cleanly or not. */
  readonly closed: Promise<void>
}

const WAIT_MS = 10_000

/** Connects to a port of 127.0.0.1, over TLS where options for it are given. */
export async function connectRaw(port: number, tls?: ConnectionOptions): Promise<RawClient> {
  const socket =
    tls === undefined ? connect(port, '127.0.0.1') : connectTls({ host: '127.0.0.1', port, ...tls })
  let received = Buffer.alloc(0)
  let ended = false
  let wake = (): void => undefined
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    wake()
  })
  const closed = new Promise<void>((resolve) => {
    const end = (): void => {
      ended = true
      wake()
      resolve()
    }
    socket.once('end', end).once('close', end)
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      socket.off('error', reject)
      resolve()
    })
  })
  // A reset shows as the end of the connection; what came before it counts.
  socket.on('error', () => undefined)

  const response = async ({ toHead = false } = {}): Promise<RawResponse> => {
    const deadline = AbortSignal.timeout(WAIT_MS)
    for (;;) {
      const parsed = parseResponse(received, toHead, ended)
      if (parsed !== undefined) {
        received = received.subarray(parsed.sizeBytes)
        return parsed.response
      }
      if (ended) throw new Error(`the connection ended after ${JSON.stringify(received.toString('latin1'))}`)
      await new Promise<void>((resolve, reject) => {
        wake = resolve
        deadline.addEventListener('abort', () => reject(new Error('no whole response came in time')), {
          once: true,
        })
      })
    }
  }

  return {
    socket,
    closed,
    response,
    send: (bytes) => void socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes),
    [Symbol.asyncDispose]: async () => {
      socket.destroy()
      await closed
    },
  }
}

/** Sends one request on a connection of its own and returns the first response that is not an interim one. */
export async function sendRaw(
  port: number,
  bytes: string | Buffer,
  tls?: ConnectionOptions,
): Promise<RawResponse> {
  await using client = await connectRaw(port, tls)
  client.send(bytes)
  const toHead = bytes.toString('latin1').startsWith('HEAD ')
  for (;;) {
    const response = await client.response({ toHead })
    if (response.status >= 200) return response
  }
}

function parseResponse(
  received: Buffer,
  toHead: boolean,
  ended: boolean,
): { response: RawResponse; sizeBytes: number } | undefined {
  const headEnd = received.indexOf('\r\n\r\n')
  if (headEnd === -1) return undefined
  const [statusLine = '', ...lines] = received.toString('latin1', 0, headEnd).split('\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1])
  const headers = lines.flatMap((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon), line.slice(colon + 1).trim()]
  })
  const header = (name: string): string | undefined => only(headers, name)
  const bodyAt = headEnd + 4
  const framed = bodyOf(
    received.subarray(bodyAt),
    header,
    toHead || status < 200 || status === 204 || status === 304,
    ended,
  )
  if (framed === undefined) return undefined
  return { response: { status, headers, body: framed.body, header }, sizeBytes: bodyAt + framed.sizeBytes }
}

function bodyOf(
  rest: Buffer,
  header: RawResponse['header'],
  bodyless: boolean,
  ended: boolean,
): { body: Buffer; sizeBytes: number } | undefined {
  if (bodyless) return { body: Buffer.alloc(0), sizeBytes: 0 }
  if (header('transfer-encoding') !== undefined) return readChunks(rest)
  const length = header('content-length')
  if (length === undefined) return ended ? { body: rest, sizeBytes: rest.length } : undefined
  const sizeBytes = Number(length)
  return rest.length < sizeBytes ? undefined : { body: rest.subarray(0, sizeBytes), sizeBytes }
}

function readChunks(rest: Buffer): { body: Buffer; sizeBytes: number } | undefined {
  const chunks: Buffer[] = []
  let at = 0
  for (;;) {
    const lineEnd = rest.indexOf('\r\n', at)
    if (lineEnd === -1) return undefined
    const sizeBytes = Number.parseInt(rest.toString('latin1', at, lineEnd), 16)
    const next = lineEnd + 2 + sizeBytes + 2
    if (rest.length < next) return undefined
    if (sizeBytes === 0) return { body: Buffer.concat(chunks), sizeBytes: next }
    chunks.push(rest.subarray(lineEnd + 2, next - 2))
    at = next
  }
}

function only(headers: readonly string[], name: string): string | undefined {
  const values = headers.filter(
    (_, index) => index % 2 === 1 && headers[index - 1]?.toLowerCase() === name.toLowerCase(),
  )
  if (values.length > 1) throw new Error(`${name} is there ${values.length} times`)
  return values[0]
}
