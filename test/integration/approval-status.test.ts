import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ApprovedCalls, heldBy, startApprovedCalls } from '../harness/approved-calls.ts'
import { createProofKey, signProof } from '../harness/proof.ts'
import type { Answer } from '../harness/send.ts'

let calls: ApprovedCalls
beforeAll(async () => {
  calls = await startApprovedCalls()
})
afterAll(() => calls[Symbol.asyncDispose]())

async function asked(text: string): Promise<{ readonly id: string; readonly path: string }> {
  const { id, url } = heldBy(await calls.comment({}, text))
  return { id, path: new URL(url).pathname }
}

const stateOf = (answer: Answer): unknown => (answer.json() as { readonly state: string }).state
const nextOf = (answer: Answer): unknown => (answer.json() as { readonly next: string }).next

describe('the status of an approval', () => {
  it('tells its agent how it stands, and what to do', async () => {
    const { id, path } = await asked('status')
    const pending = await calls.toolgate.send('GET', path)
    expect([pending.status, stateOf(pending), nextOf(pending)]).toEqual([200, 'pending', 'wait'])
    expect(pending.headers['retry-after']).toBe('5')
    await calls.approver.say('approve', id)
    const approved = await calls.toolgate.send('GET', path)
    expect([stateOf(approved), nextOf(approved)]).toEqual(['approved', 'send'])
    await calls.comment({ headers: { 'toolgate-approval': id } }, 'status')
    const used = await calls.toolgate.send('GET', path)
    expect([stateOf(used), nextOf(used)]).toEqual(['consumed', 'none'])
  })

  it('is unknown to another agent, to another key of the same agent, and of an id that there is not', async () => {
    const { path } = await asked('mine')
    const other = calls.toolgate.token({ claims: { client_id: 'release-agent' } })
    const key = createProofKey()
    const rebound = calls.toolgate.token({ jkt: key.jkt })
    const proof = signProof({ key, method: 'GET', url: calls.toolgate.origin + path, token: rebound })
    const nowhere = path.replace(/[^/]+$/, '01890a5d-ac96-774b-bcce-b302099a8057')
    const answers = [
      await calls.toolgate.send('GET', path, { token: other }),
      await calls.toolgate.send('GET', path, { token: rebound, proof }),
      await calls.toolgate.send('GET', nowhere),
    ]
    expect(answers.map(({ code }) => code)).toEqual(Array.from({ length: 3 }, () => 'approval.unknown'))
    expect(new Set(answers.map(({ status }) => status)).size).toBe(1)
  })

  it('is told to nobody without a token, or with a proof that was used before', async () => {
    const { path } = await asked('proofs')
    expect((await calls.toolgate.send('GET', path, { authorization: null, proof: null })).status).toBe(401)
    const token = calls.toolgate.token()
    const proof = calls.toolgate.proof('GET', path, { token })
    expect((await calls.toolgate.send('GET', path, { token, proof })).status).toBe(200)
    expect((await calls.toolgate.send('GET', path, { token, proof })).code).toBe('identity.proof_replayed')
  })

  it('ends when its agent withdraws it; people can then no longer say yes', async () => {
    const { id, path } = await asked('withdrawn')
    const withdrawn = await calls.toolgate.send('DELETE', path)
    expect([withdrawn.status, stateOf(withdrawn)]).toEqual([200, 'revoked'])
    expect(await calls.approver.say('approve', id)).toMatchObject({ kind: 'refused' })
    const headers = { 'toolgate-approval': id }
    expect((await calls.comment({ headers }, 'withdrawn')).code).toBe('approval.revoked')
  })
})
