import type { RefusalCode } from '../refusal.ts'
import type { ReasonCode } from '../policy/reasons.ts'
import { DEFAULT_PERSONA } from './personas.ts'
import { createDpopKey, createProof } from './proof.ts'
import type { DpopKey } from './proof.ts'
import { createSigningFetch } from './signing-fetch.ts'
import { createTokenSource } from './token-source.ts'
import { readVerdict } from './verdict.ts'
import type { CallVerdict } from './verdict.ts'

const PULL_991 = '/github/repos/zyx/platform-infra/pulls/991'
/** One more than the rule of the development configuration lets an agent make in a minute. */
const CALLS_OVER_LIMIT = 6

/** One persona with its own key and token. */
interface Caller {
  readonly key: DpopKey
  readonly accessToken: () => Promise<string>
  readonly fetch: typeof fetch
}

export interface TourContext {
  readonly gateway: string
  /** The same caller for the same persona. */
  readonly as: (persona: string) => Promise<Caller>
}

/** What the tour tries, and what has to become of it. */
export interface TourStep {
  readonly tried: string
  readonly code: RefusalCode
  /** The reason that policy has to give; it may give more. */
  readonly reason?: ReasonCode
  readonly run: (context: TourContext) => Promise<CallVerdict>
}

export function createContext(gateway: string, issuer: string): TourContext {
  const callers = new Map<string, Promise<Caller>>()
  const create = async (persona: string): Promise<Caller> => {
    const key = await createDpopKey()
    const accessToken = createTokenSource({ issuer, key, persona })
    return { key, accessToken, fetch: createSigningFetch({ gateway, key, accessToken }) }
  }
  return {
    gateway,
    as: (persona) => {
      const caller = callers.get(persona) ?? create(persona)
      callers.set(persona, caller)
      return caller
    },
  }
}

/** Everything that the gateway has to refuse in the ZYX Bank scenario. */
export const REFUSED_STEPS: readonly TourStep[] = [
  {
    tried: 'a user outside the group reads the pull request',
    code: 'policy.denied',
    reason: 'group.not_allowed',
    run: (context) => call(context, 'outsider', PULL_991),
  },
  {
    tried: 'a device that is not compliant',
    code: 'policy.denied',
    reason: 'device.not_compliant',
    run: (context) => call(context, 'unmanaged-device', PULL_991),
  },
  {
    tried: 'a Slack channel that is not allowed',
    code: 'policy.denied',
    reason: 'channel.not_allowed',
    run: (context) =>
      call(context, DEFAULT_PERSONA, '/slack/api/chat.postMessage', 'POST', {
        channel: 'C0GENERAL',
        text: 'hello',
      }),
  },
  {
    tried: 'merging the pull request',
    code: 'policy.denied',
    reason: 'operation.not_granted',
    run: (context) => call(context, DEFAULT_PERSONA, `${PULL_991}/merge`, 'PUT', { merge_method: 'squash' }),
  },
  {
    tried: 'reading from production',
    code: 'policy.denied',
    reason: 'environment.not_allowed',
    run: (context) => call(context, DEFAULT_PERSONA, '/github/repos/zyx/payments-core/pulls/17'),
  },
  { tried: 'a proof that was used before', code: 'identity.proof_replayed', run: replayProof },
  { tried: 'a stolen token without its key', code: 'identity.binding_mismatch', run: stealToken },
  { tried: 'one call over the limit of five a minute', code: 'limit.rate', run: exceedLimit },
]

/** Whether a call ended as its step says it has to. */
export function isAsExpected(step: TourStep, verdict: CallVerdict): boolean {
  const reasoned = step.reason === undefined || verdict.reasons.some(({ code }) => code === step.reason)
  return verdict.decision === 'deny' && verdict.code === step.code && reasoned && verdict.callId !== ''
}

async function call(
  { gateway, as }: TourContext,
  persona: string,
  path: string,
  method = 'GET',
  body?: object,
): Promise<CallVerdict> {
  const caller = await as(persona)
  // A change names its ticket and its way back, so that nothing but the rule in question is in its way.
  const declared = { 'Toolgate-Ticket': 'CHG-18422', 'Toolgate-Rollback-Plan': 'Revert the merge commit' }
  const content = body === undefined ? {} : { body: JSON.stringify(body) }
  const headers = {
    ...declared,
    ...(body === undefined ? {} : { 'Content-Type': 'application/json; charset=utf-8' }),
  }
  return readVerdict(await caller.fetch(new URL(path, gateway), { method, headers, ...content }))
}

/** The same signed request twice; the first has to pass for the second to prove anything. */
async function replayProof({ gateway, as }: TourContext): Promise<CallVerdict> {
  const { key, accessToken } = await as(DEFAULT_PERSONA)
  const first = await sendOnce(gateway, key, await accessToken())
  if (first.verdict.decision !== 'allow') return first.verdict
  return readVerdict(await fetch(new URL(PULL_991, gateway), { headers: first.headers }))
}

/** A thief has the token and signs with the only key they have: their own. */
async function stealToken({ gateway, as }: TourContext): Promise<CallVerdict> {
  const { accessToken } = await as(DEFAULT_PERSONA)
  return (await sendOnce(gateway, await createDpopKey(), await accessToken())).verdict
}

async function sendOnce(
  gateway: string,
  key: DpopKey,
  accessToken: string,
): Promise<{ headers: Record<string, string>; verdict: CallVerdict }> {
  const url = new URL(PULL_991, gateway)
  const headers = {
    Authorization: `DPoP ${accessToken}`,
    DPoP: await createProof(key, { method: 'GET', url, accessToken }),
  }
  return { headers, verdict: await readVerdict(await fetch(url, { headers })) }
}

/** Calls until one is refused, at most one more than the limit; the last one is the verdict. */
async function exceedLimit(context: TourContext): Promise<CallVerdict> {
  let verdict = await call(context, DEFAULT_PERSONA, '/github/rate_limit')
  for (let calls = 1; calls < CALLS_OVER_LIMIT && verdict.decision === 'allow'; calls += 1) {
    verdict = await call(context, DEFAULT_PERSONA, '/github/rate_limit')
  }
  return verdict
}
