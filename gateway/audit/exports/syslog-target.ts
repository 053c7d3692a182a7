import { hostname } from 'node:os'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { SyslogConfig } from '../../config/export-config.ts'
import { tlsOptions } from '../../policy/service-request.ts'
import type { ExportEvent, ExportTarget } from './target.ts'

/** RFC 5424 §6.2.1: facility 13, log audit; severity 6, informational. */
const PRIORITY = 13 * 8 + 6

/**
 * Sends messages of RFC 5424 over TLS (RFC 5425), each after its length in octets. Syslog has no acknowledgement, so a
 * batch has a connection of its own, and counts as taken once both sides have closed that in order after its last
 * octet. A receiver that is cut off, resets or hangs up before that gets it again; what one had read and then lost,
 * or dropped as it closed in order, nobody here can know.
 */
export function createSyslogTarget(config: SyslogConfig): ExportTarget {
  return {
    deliver: (events, signal) => send(config, Buffer.concat(events.map(frameOf)), signal),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/** RFC 6587 §3.4.1, RFC 5425 §4.3. */
export function frameOf(event: ExportEvent): Buffer {
  const message = Buffer.from(messageOf(event))
  return Buffer.concat([Buffer.from(`${String(message.length)} `), message])
}

/** No byte order mark before the text: JSON has none (RFC 8259 §8.1), and RFC 5424 §6.4 lets it be left out. */
function messageOf({ line, time, node, type }: ExportEvent): string {
  const header = [time, printable(hostname(), 255), 'toolgate', printable(node, 128), printable(type, 32)]
  return `<${String(PRIORITY)}>1 ${header.join(' ')} - ${line}`
}

/** RFC 5424 §6: a field of the header is printable ASCII without spaces, or a hyphen. */
function printable(text: string, maxLength: number): string {
  return text.replaceAll(/[^!-~]/g, '_').slice(0, maxLength) || '-'
}

function send(config: SyslogConfig, batch: Buffer, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const socket = connect(config)
  let written = false
  let answered = false
  const fail = (reason: string): void => void socket.destroy(new Error(`syslog export failed: ${reason}`))
  const aborted = (): void => fail('the gateway ends')
  const late = setTimeout(() => fail('the receiver did not take it in time'), config.timeoutMs)
  signal.addEventListener('abort', aborted)
  socket.on('error', reject)
  socket.on('end', () => {
    answered = written
    if (!written) fail('the receiver hung up')
  })
  socket.on('close', (hadError) => {
    clearTimeout(late)
    signal.removeEventListener('abort', aborted)
    if (answered && !hadError) resolve()
    else reject(new Error('syslog export failed: the connection was cut'))
  })
  socket.once(config.tls ? 'secureConnect' : 'connect', () =>
    socket.write(batch, () => {
      written = true
      socket.end()
    }),
  )
  socket.resume()
  return promise
}

function connect(config: SyslogConfig): Socket {
  const { host, port } = config
  if (!config.tls) return connectTcp({ host, port, allowHalfOpen: true })
  // RFC 6066 §3: an address is no server name.
  return connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }), ...tlsOptions(config) })
}
