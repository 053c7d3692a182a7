/** Answers with as many bytes as the last part of the path says, as fast as they are taken. */
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

const CHUNK = Buffer.alloc(65_536, 'x')

process.on('disconnect', () => process.exit())
const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  let left = Number(/\d+$/.exec(request.url ?? '')?.[0])
  response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Length': left })
  const write = (): void => {
    while (left > 0) {
      const chunk = left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK
      left -= chunk.length
      if (!response.write(chunk)) return void response.once('drain', write)
    }
    response.end()
  }
  write()
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
process.send?.((server.address() as AddressInfo).port)
