import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AuditEntry } from '../../gateway/audit/entry.ts'
import { REFUSALS, type RefusalCode } from '../../gateway/refusal.ts'
import type { TestGateway } from '../harness/gateway.ts'
import type { Answer } from '../harness/send.ts'
import { CONNECTORS, type ConnectorName } from './refusals-calls.ts'
import { type Ground, prepareGround } from './refusals-ground.ts'
import { PROVOCATIONS, type Row } from './refusals-provocations.ts'

let ground: Ground
beforeAll(async () => {
  ground = await prepareGround()
})
afterAll(() => ground[Symbol.asyncDispose]())

const rows = Object.entries<Row>(PROVOCATIONS).map(([code, row]) => ({ code: code as RefusalCode, row }))
const calls = rows.flatMap(({ code, row }) =>
  (row.plain === true ? CONNECTORS.slice(0, 1) : CONNECTORS).map((connector) => ({ code, row, connector })),
)

const OFTEN = { interval: 5 }
const HOLDS = new Set<RefusalCode>(['approval.required', 'approval.pending'])

describe('every row of the table', () => {
  it.each(calls)('$code through $connector', async ({ code, row, connector }) => {
    const toolgate = await ground.gateway(row.kind)
    const decision = HOLDS.has(code) ? 'hold' : 'deny'
    const counted = { reason: code, decision, connector: row.plain === true ? 'none' : connector }
    // A gateway drains once, so the calls that it cut short are counted before the first of them is looked at.
    const before = row.gone === true ? 0 : await toolgate.metric('toolgate_calls_total', counted)
    const answer = await row.provoke(ground, connector)

    expect(answer.code).toBe(code)
    expect(answer.status).toBe(statusOf(code, row, connector))
    expect(answer.decision).toBe(decision)
    expect(answer.callId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(answer.headers['cache-control']).toBe('no-store')
    const { 'retry-after': wait = 'none' } = answer.headers
    expect(wait).toMatch(REFUSALS[code].retry === 'after' ? /^[1-9][0-9]*$/ : /^none$/)
    expect(answer.json()).toMatchObject(bodyOf(code, row, connector, answer))
    await expectEvidence(toolgate, answer, code, row, connector)
    await expectSilence(toolgate, answer)
    expect(await toolgate.metric('toolgate_calls_total', counted)).toBe(before + 1)
    if (row.gone !== true) await expectAlive(toolgate)
  })
})

function statusOf(code: RefusalCode, row: Row, connector: ConnectorName): number {
  if (connector !== 'slack' || row.plain === true) return REFUSALS[code].status
  // Nobody who has not asked for it gets this one.
  if (code === 'approval.pending') return 202
  // Its SDK would repeat any other status for half an hour.
  if (code === 'identity.nonce_required') return 401
  return code === 'limit.rate' || code === 'limit.concurrency' || code === 'breaker.agent_open' ? 429 : 200
}

/** The members of RFC 9457 in the vendor's own body. */
function bodyOf(code: RefusalCode, row: Row, connector: ConnectorName, { callId }: Answer): object {
  const { status, title } = REFUSALS[code]
  const members = { type: `urn:toolgate:refusal:${code}`, title, status, code, call_id: callId }
  const text: unknown = expect.stringContaining(title)
  const word: unknown = expect.stringMatching(/^[a-z_]+$/)
  if (row.plain === true || code === 'approval.pending') return members
  if (connector === 'github') return { ...members, message: text, documentation_url: members.type }
  if (connector === 'slack') return { ...members, ok: false, error: word }
  return { ...members, message: text, errorMessages: [text], errors: {} }
}

/** One line, and on record what there was to record, both under the id that the caller has. */
async function expectEvidence(
  toolgate: TestGateway,
  { callId, status }: Answer,
  code: RefusalCode,
  { records = ['outcome'] }: Row,
  connector: ConnectorName,
): Promise<void> {
  const events = records.length === 0 ? ['call', 'audit.outcome_lost'] : ['call']
  // What became of its approval is told in lines and entries of its own.
  const lines = async () =>
    (await toolgate.linesOf(callId)).filter(({ event }) => !String(event).startsWith('approval.'))
  await expect.poll(async () => (await lines()).map(({ event }) => event), OFTEN).toEqual(events)
  const decision = HOLDS.has(code) ? 'hold' : 'deny'
  expect((await lines())[0]).toMatchObject({ reason: code, decision, status })
  const recorded = async () => (await recordsOf(toolgate, callId)).filter(({ type }) => type !== 'approval')
  await expect.poll(async () => (await recorded()).map(({ type }) => type), OFTEN).toEqual(records)
  const expected = records.map((type) => (type === 'outcome' ? { type, outcome: code, status } : { type }))
  expect(await recorded()).toMatchObject(expected)
  const [first = {}] = await recorded()
  expect(first).toMatchObject(knownBy(code, connector))
}

/** What has to be on record of a call that got as far as this refusal: who, what, and which policy said so. */
function knownBy(code: RefusalCode, connector: ConnectorName): object {
  const digest: unknown = expect.stringMatching(/^sha256:[0-9a-f]{64}$/)
  const who = { agent: expect.any(String) as unknown, tenant: 'zyx-bank', binding: 'dpop' }
  const operation: unknown = expect.stringMatching(`^${connector}[.]`)
  const routed = { who, what: { connector, operation } }
  // Presented to policy are only calls that can be.
  if (/^(?:policy\.(?!input_invalid)|approval\.(?:required|pending|too_many|unbindable))/.test(code))
    return { ...routed, policy: { digest } }
  return /^(?:limit|breaker|store|policy|approval|credential|upstream)\./.test(code) ? routed : {}
}

/** Nothing where the whole folder is gone, as one of the provocations wants it. */
function recordsOf(toolgate: TestGateway, callId: string): Promise<AuditEntry[]> {
  return toolgate.recordsOf(callId).catch(() => [])
}

/** Nothing of the inside is in the reply, and no secret is in reply, log or record. */
async function expectSilence(toolgate: TestGateway, { callId, text, rawHeaders }: Answer): Promise<void> {
  const told = (text + rawHeaders.join('\n')).replaceAll(toolgate.origin, '')
  const lines = await toolgate.linesOf(callId)
  // One word, such as the name of a claim or a limit, may stand in the reply for its own reasons.
  const inner = lines
    .flatMap(({ detail, cause }) => [detail, cause])
    .filter((text) => typeof text === 'string' && text.includes(' '))
  expect(inner.filter((text) => told.includes(String(text)))).toEqual([])
  expect(told).not.toMatch(/\n? {4}at |\.ts\b|node:|\/nowhere|127\.0\.0\.1|localhost|E[A-Z]{5,}\b|UND_ERR/)
  const records = JSON.stringify(await recordsOf(toolgate, callId))
  for (const place of [told, JSON.stringify(lines), records]) {
    expect(place).not.toMatch(/upstream-secret|eyJ[\w-]+\.|attackers-own/)
  }
}

/** The next caller is served as if nothing had been. */
async function expectAlive(toolgate: TestGateway): Promise<void> {
  const answer = await toolgate.send('GET', '/github/user', { authorization: null, proof: null })
  expect(answer.code).toBe('identity.missing')
}
