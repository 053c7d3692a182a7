import { randomUUID } from 'node:crypto'
import type { Issuer } from '../harness/issuer.ts'
import { createProofKey, signProof } from '../harness/proof.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'
/** Agents that come, make a few calls and never return: what every map keyed by a caller has to survive. */
const CALLS_PER_AGENT = 8

type Kind = 'read' | 'denied' | 'unknown' | 'forged' | 'write' | 'abandoned'
const MIX: readonly Kind[] = ['read', 'read', 'read', 'denied', 'unknown', 'forged', 'write', 'abandoned']

export interface Churn {
  readonly calls: number
  /** Replies that were not what their kind of call has to get, such as `read: 500`. */
  readonly surprises: ReadonlyMap<string, number>
}

const EXPECTED: Readonly<Record<Exclude<Kind, 'abandoned'>, readonly number[]>> = {
  read: [200],
  denied: [403],
  unknown: [404],
  forged: [401],
  write: [201],
}

/** Mixed calls of ever new agents, `inFlight` at a time, until the deadline. */
export async function churn(
  origin: string,
  issuer: Issuer,
  inFlight: number,
  durationMs: number,
): Promise<Churn> {
  const surprises = new Map<string, number>()
  const endsAt = performance.now() + durationMs
  let calls = 0
  const agents = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      const agent = newAgent(origin, issuer)
      for (let index = 0; index < CALLS_PER_AGENT && performance.now() < endsAt; index += 1) {
        const kind = MIX[index % MIX.length] ?? 'read'
        const status = await agent(kind)
        calls += 1
        if (kind === 'abandoned' || EXPECTED[kind].includes(status)) continue
        const surprise = `${kind}: ${status}`
        surprises.set(surprise, (surprises.get(surprise) ?? 0) + 1)
      }
    }
  }
  await Promise.all(Array.from({ length: inFlight }, agents))
  return { calls, surprises }
}

/** Every agent acts for somebody new, with a key and a task of its own. */
function newAgent(origin: string, issuer: Issuer): (kind: Kind) => Promise<number> {
  const key = createProofKey()
  const stranger = createProofKey()
  const token = issuer.token({
    jkt: key.jkt,
    claims: {
      client_id: 'change-review-agent',
      sub: `${randomUUID()}@zyx.example`,
      tenant: 'zyx-bank',
      groups: ['devsecops-change-review'],
      device_compliant: true,
    },
  })
  const task = randomUUID()
  const send = async (
    method: string,
    target: string,
    more: RequestInit = {},
    signer = key,
  ): Promise<number> => {
    const reply = await fetch(origin + target, {
      method,
      ...more,
      headers: {
        authorization: `DPoP ${token}`,
        dpop: signProof({ key: signer, method, url: origin + target, token }),
        'toolgate-task': task,
        ...(more.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
    })
    await reply.arrayBuffer()
    return reply.status
  }
  return (kind) => {
    switch (kind) {
      case 'read':
        return send('GET', PULL)
      case 'denied':
        return send('PUT', `${PULL}/merge`, { body: '{}' })
      case 'unknown':
        return send('GET', `/github/nothing/${randomUUID()}`)
      case 'forged':
        return send('GET', PULL, {}, stranger)
      case 'write':
        return send('POST', '/jira/rest/api/3/issue/CHG-18422/comment', { body: comment() })
      case 'abandoned':
        return send('GET', PULL, { signal: AbortSignal.timeout(3) }).catch(() => 0)
    }
  }
}

function comment(): string {
  const paragraph = { type: 'paragraph', content: [{ type: 'text', text: randomUUID() }] }
  return JSON.stringify({ body: { type: 'doc', version: 1, content: [paragraph] } })
}
