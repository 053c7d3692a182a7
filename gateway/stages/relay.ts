import type { Connector } from '../catalog/connector.ts'
import type { ExternalBase } from '../egress/external-address.ts'
import { createRelayPlanner } from '../egress/relay-plan.ts'
import { sendStream, sendWhole } from '../egress/send-body.ts'
import type { SentBody } from '../egress/send-body.ts'
import type { Answered, Outcome, OutcomeCode } from '../exchange.ts'
import type { Reply } from '../listen/reply.ts'

export interface RelayDependencies {
  readonly connectors: readonly Connector[]
  readonly externalBase: ExternalBase
  /** How long a caller may leave bytes unread before it is taken for gone. */
  readonly stallTimeoutMs: number
}

const CODES: Readonly<Record<SentBody['end'], OutcomeCode>> = {
  whole: 'allowed',
  truncated: 'upstream.truncated',
  client_gone: 'client.gone',
}

/**
 * Relays the upstream's answer: its status as it is, the headers that may pass, the bytes as they come. Answers how
 * it ended and never throws for what an upstream or a caller does. DESIGN §3, row 11.
 */
export function createRelay({
  connectors,
  externalBase,
  stallTimeoutMs,
}: RelayDependencies): (answered: Answered, reply: Reply) => Promise<Outcome> {
  const planners = new Map(
    connectors.map((connector) => [connector.name, createRelayPlanner(connector, externalBase(connector))]),
  )
  return async ({ intended, upstream }, reply) => {
    const { permit, request } = intended.sealed
    const { call } = permit
    const seen = { upstreamStatus: upstream.status, upstreamMs: upstream.latencyMs }
    const plan = planners.get(call.connector.name)?.(upstream, request)
    if (plan === undefined) {
      upstream.body.abort()
      return {
        ...reply.refuse({ code: 'upstream.protocol', detail: 'unsendable header section' }, call),
        ...seen,
      }
    }
    let sent: SentBody
    try {
      const response = reply.begin(upstream.status, plan.headers, call)
      sent =
        plan.whole === undefined
          ? await sendStream(upstream.body, response, { stallTimeoutMs, through: plan.through })
          : sendWhole(response, plan.whole)
    } catch (cause) {
      upstream.body.abort()
      throw cause
    }
    return {
      code: CODES[sent.end],
      status: upstream.status,
      ...seen,
      replyBytes: sent.bytes,
      replyDigest: sent.digest,
      reasons: call.decision.reasons,
      detail: sent.cause?.message ?? '',
      cause: sent.cause,
    }
  }
}
