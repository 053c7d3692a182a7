import { once } from 'node:events'
import { Socket } from 'node:net'
import { expect, it, vi } from 'vitest'
import { Connections } from '../../gateway/listen/connections.ts'

it('a connection is not kept once it has closed, although a reply for its caller is begun only then', async () => {
  const connections = new Connections(60_000, () => 0)
  const socket = new Socket()
  connections.open(socket)
  socket.destroy()
  await once(socket, 'close')
  connections.isEnding(socket)
  const destroy = vi.spyOn(socket, 'destroy')
  connections.closeUnused()
  connections.outdateAll()
  expect(destroy).not.toHaveBeenCalled()
})
