/**
 * Agents whose calls wait for people, as a process of their own: each call on a connection of its own, which stays. Speaks
 * messages with its parent: a plan, then how many more to make. Ends with an error as soon as one of them is over.
 */
import { once } from 'node:events'
import { Connection } from './connection.ts'
import type { LoadPlan } from './plan.ts'
import { createRequestMaker } from './requests.ts'

process.on('disconnect', () => process.exit())
const [plan] = (await once(process, 'message')) as [LoadPlan]
const makeRequests = createRequestMaker(plan)
const events = {
  replied: (_connection: Connection, status: string) => {
    throw new Error(`a call that nobody had answered was over: ${status}`)
  },
  failed: (cause: Error) => {
    throw cause
  },
}
process.send?.('ready')
for (;;) {
  const [{ calls }] = (await once(process, 'message')) as [{ readonly calls: number }]
  // Signed just before they are sent: a proof is not good for long.
  const requests = makeRequests(calls)
  const connections = await Promise.all(Array.from({ length: calls }, () => Connection.open(plan, events)))
  for (const connection of connections) {
    const request = requests.next()
    if (request !== undefined) connection.send(request, performance.now())
  }
  process.send?.('sent')
}
