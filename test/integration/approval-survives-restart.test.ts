import { writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Gateway, startGateway } from '../../gateway/compose.ts'
import { APPROVAL_RULES } from '../harness/approval-rules.ts'
import { type ApprovedCalls, heldBy, startApprovedCalls } from '../harness/approved-calls.ts'
import { compileRules } from '../harness/opa.ts'
import { startRedis } from '../harness/redis.ts'
import type { Answer } from '../harness/send.ts'

const FREEZE = APPROVAL_RULES.replace('asked := ', 'denied contains reason\nasked := ')

/** Another process, with the same configuration in the same folder, after the first one ended. */
function startAgain({ toolgate }: ApprovedCalls): Promise<Gateway> {
  return startGateway(toolgate.loaded, { environment: toolgate.fakes.environment, worker: 0 })
}

function commentAt({ port }: Gateway, calls: ApprovedCalls, text: string, id: string): Promise<Answer> {
  const headers = { 'toolgate-approval': id }
  return calls.comment({ origin: `http://127.0.0.1:${port}`, headers }, text)
}

/** What a gateway that starts anew still has: the control file of one machine, or Redis. */
describe.each(['embedded', 'redis'] as const)('in the %s store, after a restart, an approval', (store) => {
  const stack = new AsyncDisposableStack()
  let calls: ApprovedCalls
  let second: Gateway
  let ids: Readonly<Record<'waiting' | 'used' | 'asked', string>>
  beforeAll(async () => {
    const redis = store === 'redis' ? stack.use(await startRedis()) : undefined
    calls = stack.use(await startApprovedCalls(redis && { redisUrl: redis.url }))
    ids = {
      waiting: await calls.approved('waiting'),
      used: await calls.approved('used'),
      asked: heldBy(await calls.comment({}, 'asked')).id,
    }
    const used = await calls.comment({ headers: { 'toolgate-approval': ids.used } }, 'used')
    if (used.status !== 201) throw new Error(used.text)
    await calls.toolgate.gateway[Symbol.asyncDispose]()
    await calls.approver.say('approve', ids.asked)
    second = stack.use(await startAgain(calls))
  })
  afterAll(() => stack.disposeAsync())

  it('is good for its call, and for no second one', async () => {
    const { requests } = calls.toolgate.fakes.github
    const before = requests.length
    expect(await commentAt(second, calls, 'waiting', ids.waiting)).toMatchObject({ status: 201 })
    expect(await commentAt(second, calls, 'waiting', ids.waiting)).toMatchObject({ code: 'approval.used' })
    expect(requests).toHaveLength(before + 1)
  })

  it('that was used before is used up', async () => {
    const { requests } = calls.toolgate.fakes.github
    const before = requests.length
    expect(await commentAt(second, calls, 'used', ids.used)).toMatchObject({ code: 'approval.used' })
    expect(requests).toHaveLength(before)
  })

  it('that was answered while no gateway ran is good', async () => {
    expect(await commentAt(second, calls, 'asked', ids.asked)).toMatchObject({ status: 201 })
  })
})

describe('an approved call whose policy has changed since', () => {
  it('is refused by the policy in force, and the approval is not used up by that', async () => {
    await using calls = await startApprovedCalls()
    const { toolgate, comment, approver } = calls
    const id = await calls.approved('frozen')
    const headers = { 'toolgate-approval': id }
    const before = toolgate.fakes.github.requests.length
    await calls.replaceRules(FREEZE)
    expect(await comment({ headers }, 'frozen')).toMatchObject({ status: 403, code: 'policy.denied' })
    expect(toolgate.fakes.github.requests).toHaveLength(before)
    expect(await approver.get(id)).toMatchObject({ state: 'approved' })
    await calls.replaceRules(APPROVAL_RULES)
    expect(await comment({ headers }, 'frozen')).toMatchObject({ status: 201 })
  })

  it('is refused by the policy that a gateway starts with', async () => {
    await using stack = new AsyncDisposableStack()
    const calls = stack.use(await startApprovedCalls())
    const id = await calls.approved('thawed')
    await calls.toolgate.gateway[Symbol.asyncDispose]()
    await writeFile(calls.toolgate.loaded.policy.bundle, await compileRules(FREEZE))
    const second = stack.use(await startAgain(calls))
    expect(await commentAt(second, calls, 'thawed', id)).toMatchObject({ code: 'policy.denied' })
  })
})
