import type { Writable } from 'node:stream'

/** A client of Redis, as far as it matters here; the stream is another one after each connection. */
interface Connection {
  /** There is none before the first connection. */
  readonly stream: Pick<Writable, 'cork' | 'uncork' | 'writableCorked'> | undefined
}

/**
 * Lets commands that are begun in one turn of the event loop leave in one write, and so mostly be answered in one: each
 * write of its own is a system call here and another one at Redis. The order stays; a command waits for those sockets
 * at most that were ready together with the one it came from.
 */
export function writeTogether({ stream }: Connection): void {
  if (stream === undefined || stream.writableCorked > 0) return
  stream.cork()
  setImmediate(() => stream.uncork())
}
