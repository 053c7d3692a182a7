import { startChild } from '../child.ts'
import type { LoadAgent, LoadPlan, LoadResult } from '../load/plan.ts'
import type { Row, RunningRow } from './row.ts'

/**
 * A row that says it asks who calls, and whether they may, has to say no to nobody and to an outsider: what lets all
 * through is fast, and no peer of a gateway.
 *
 * @throws Error that says what was let through
 */
export async function proveControls(row: Row, running: RunningRow): Promise<void> {
  const { controls, name } = row
  const must = async (who: string, agents: readonly LoadAgent[]): Promise<void> => {
    const status = await statusOf({ ...running.plan, agents })
    if (!/^(401|403)$/.test(status)) throw new Error(`${name} answers ${status} to ${who}`)
  }
  if (controls.identity !== '–') await must('nobody', [])
  if (controls.policy !== '–' && running.outsider !== undefined) await must('an outsider', [running.outsider])
}

/** Of one call. */
async function statusOf(plan: RunningRow['plan']): Promise<string> {
  await using client = startChild('load/agents-process.ts')
  const single: LoadPlan = { ...plan, connections: 1, idleConnections: 0 }
  await client.ask(single)
  await client.ask({ seconds: 0.1, perSecond: 10, calls: 1 })
  const { statuses } = (await client.ask({ go: true })) as LoadResult
  return Object.keys(statuses).join(' ')
}
