import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { expect, it } from 'vitest'
import { systemClock } from '../../gateway/lib/clock.ts'
import { createRedisAdmissionStore } from '../../gateway/store/redis-admission-store.ts'
import { createRedisClient } from '../../gateway/store/redis-client.ts'
import { readAdmissionScripts } from '../../gateway/store/redis-script.ts'
import { startRedis } from '../harness/redis.ts'
import { until } from '../harness/until.ts'

it('reaches the primary although the connection was to be given up while a Sentinel was being asked', async () => {
  await using redis = await startRedis()
  await using sentinel = await startSlowSentinel(redis.port)
  const client = createRedisClient(
    {
      url: 'redis://sentinel',
      password: undefined,
      sentinels: [{ host: '127.0.0.1', port: sentinel.port }],
      sentinelName: 'toolgate',
      timeoutMs: 200,
      caFile: undefined,
    },
    () => {},
  )
  const store = createRedisAdmissionStore({
    client,
    scripts: readAdmissionScripts(),
    keyPrefix: 'tg:',
    clock: systemClock,
    onSettlementLost: () => {},
  })

  await sentinel.asked
  store.reconnect()
  sentinel.answer()

  await until(() =>
    store.probe().then(
      () => true,
      () => false,
    ),
  )
  expect(client.status).toBe('ready')
  await store.close()
})

/** A Sentinel that knows one primary, and says so once it is let. */
async function startSlowSentinel(
  primaryPort: number,
): Promise<AsyncDisposable & { port: number; asked: Promise<void>; answer: () => void }> {
  const asked = Promise.withResolvers<void>()
  const allowed = Promise.withResolvers<void>()
  const primary = `*2\r\n$9\r\n127.0.0.1\r\n$${String(primaryPort).length}\r\n${primaryPort}\r\n`
  const sockets = new Set<Socket>()
  const answer = (socket: Socket, command: string): void => {
    if (command.includes('get-master-addr-by-name')) {
      asked.resolve()
      void allowed.promise.then(() => socket.write(primary))
    } else {
      socket.write(command.includes('\r\nsentinels\r\n') ? '*0\r\n' : '+OK\r\n')
    }
  }
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      // One command or several, each an array of bulk strings.
      for (const command of chunk
        .toString()
        .toLowerCase()
        .split(/(?=\*\d+\r\n\$)/))
        answer(socket, command)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    asked: asked.promise,
    answer: allowed.resolve,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
