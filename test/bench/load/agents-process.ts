/**
 * The agents, as a process of their own: signs every proof before the clock starts, then calls over connections that
 * stay open. Speaks messages with its parent: a plan, then for each run what to prepare, and when to go.
 */
import { once } from 'node:events'
import { openIdle } from './connection.ts'
import { Load } from './load.ts'
import type { LoadPlan, LoadRun } from './plan.ts'
import { createRequestMaker } from './requests.ts'

process.on('disconnect', () => process.exit())
const [plan] = (await once(process, 'message')) as [LoadPlan]
const load = await Load.open(plan)
const idle = await openIdle(plan)
const makeRequests = createRequestMaker(plan)
process.send?.({ idleConnections: idle.length })
for (;;) {
  const [run] = (await once(process, 'message')) as [LoadRun]
  const requests = makeRequests(run.calls)
  process.send?.('prepared')
  await once(process, 'message')
  process.send?.(await load.call(requests, run))
}
