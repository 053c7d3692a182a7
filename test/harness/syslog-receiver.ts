import { once } from 'node:events'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Certified } from './pki.ts'

export interface SyslogReceiver extends AsyncDisposable {
  readonly port: number
  /** Messages of connections that were read to their end, in order. */
  readonly messages: readonly string[]
}

/** Reads octet-counted messages (RFC 6587 §3.4.1), over TLS with a certificate; without, it cuts off the first `cuts` senders. */
export async function startSyslogReceiver(
  options: { readonly certificate?: Certified; readonly cuts?: number } = {},
): Promise<SyslogReceiver> {
  const messages: string[] = []
  let connections = 0
  const take = (socket: Socket): void => {
    connections += 1
    const chunks: Buffer[] = []
    socket.on('error', () => undefined)
    if (connections <= (options.cuts ?? 0)) return void socket.once('data', () => socket.resetAndDestroy())
    socket.on('data', (chunk) => void chunks.push(chunk))
    socket.on('end', () => messages.push(...messagesIn(Buffer.concat(chunks))))
  }
  const { certificate } = options
  const server =
    certificate === undefined
      ? createTcpServer(take)
      : createTlsServer({ cert: certificate.cert, key: certificate.key }, take)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    messages,
    async [Symbol.asyncDispose]() {
      server.close()
      await once(server, 'close')
    },
  }
}

export function messagesIn(stream: Buffer): string[] {
  const messages: string[] = []
  for (let at = 0; at < stream.length;) {
    const space = stream.indexOf(' ', at)
    const length = Number(stream.subarray(at, space).toString())
    if (!Number.isInteger(length) || length < 1) throw new Error(`no octet count at ${String(at)}`)
    messages.push(stream.subarray(space + 1, space + 1 + length).toString())
    at = space + 1 + length
  }
  return messages
}
