import type { Redis } from 'ioredis'

/**
 * Lets commands that are begun in one turn of the event loop leave in one write, and so mostly be answered in one: each
 * write of its own is a system call here and another one at Redis. The order stays; a command waits for those sockets
 * at most that were ready together with the one it came from.
 */
export function writeTogether({ stream }: Pick<Redis, 'stream'>): void {
  // There is none before the first connection.
  if (stream === undefined || stream.writableCorked > 0) return
  stream.cork()
  setImmediate(() => stream.uncork())
}
