import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

// Below the range that the system hands out for port 0, so that no server of another test can come upon one of
// these between being found free and being used.
const FIRST_PORT = 10_000
const PORTS = 20_000

/** Ports of 127.0.0.1 that nobody listens on, all different, for what has to know its port before it listens. */
export async function freePorts(count: number): Promise<number[]> {
  const found: number[] = []
  while (found.length < count) {
    const port = FIRST_PORT + randomInt(PORTS)
    if (!found.includes(port) && (await isFree(port))) found.push(port)
  }
  return found
}

/** The first of so many free ports in a row. */
export async function firstOfFreePorts(count: number): Promise<number> {
  for (;;) {
    const first = FIRST_PORT + randomInt(PORTS)
    const free = await Promise.all(Array.from({ length: count }, (_, index) => isFree(first + index)))
    if (free.every(Boolean)) return first
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  const outcome = Promise.race([
    once(server, 'listening').then(() => true),
    once(server, 'error').then(() => false),
  ])
  server.listen(port, '127.0.0.1')
  const isListening = await outcome
  if (isListening) await once(server.close(), 'close')
  return isListening
}
