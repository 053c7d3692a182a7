import type { Connector } from '../catalog/connector.ts'
import type { Detectors } from '../detectors/detectors.ts'
import type { ExternalBase } from '../egress/external-address.ts'
import { answerDuties } from '../egress/answer-duties.ts'
import { createRelayPlanner } from '../egress/relay-plan.ts'
import { type SentBody, sendStream, sendWhole } from '../egress/send-body.ts'
import { withhold } from '../egress/withhold.ts'
import { sendSearched, type Through } from '../egress/send-searched.ts'
import type { Answered } from '../exchange.ts'
import { GatewayFault, refusalOfAbort } from '../fault.ts'
import type { Outcome, OutcomeCode } from '../outcome.ts'
import type { Reply } from '../listen/reply.ts'
import type { Refusal } from '../refusal.ts'

export interface RelayDependencies {
  readonly connectors: readonly Connector[]
  readonly externalBase: ExternalBase
  readonly detectors: Pick<Detectors, 'reply'>
  /** How long a caller may leave bytes unread before it is taken for gone. */
  readonly stallTimeoutMs: number
}

const CODES: Readonly<Record<SentBody['end'], OutcomeCode>> = {
  whole: 'allowed',
  truncated: 'upstream.truncated',
  too_large: 'policy.answer_withheld',
  client_gone: 'client.gone',
}

/**
 * Relays the upstream's answer: its status as it is, the headers that may pass, the bytes as they come. Answers how
 * it ended and never throws for what an upstream or a caller does. DESIGN §3, row 11.
 */
export function createRelay({
  connectors,
  externalBase,
  detectors,
  stallTimeoutMs,
}: RelayDependencies): (answered: Answered, reply: Reply) => Promise<Outcome> {
  const planners = new Map(
    connectors.map((connector) => [connector.name, createRelayPlanner(connector, externalBase(connector))]),
  )
  return async ({ intended, upstream: answered }, reply) => {
    const { permit, request } = intended.sealed
    const { call } = permit
    const seen = { upstreamStatus: answered.status, upstreamMs: answered.latencyMs }
    const stop = (refusal: Refusal): Outcome => {
      answered.body.abort()
      return { ...reply.refuse(refusal, call), ...seen }
    }
    const duties = answerDuties(call.decision.obligations)
    const withheld = duties && (await withhold(duties, answered, request.method))
    if (withheld?.ok === false) return stop(refusalOfAbort(call.arrival.signal, withheld.refusal))
    const upstream = withheld?.value.reply ?? answered
    const plan = planners.get(call.connector.name)?.(upstream, request)
    if (plan === undefined) return stop({ code: 'upstream.protocol', detail: 'unsendable header section' })
    const maxBytes = duties?.maxBytes ?? Number.POSITIVE_INFINITY
    if ((plan.whole?.length ?? 0) > maxBytes)
      return stop({ code: 'policy.answer_withheld', detail: `the answer is larger than ${maxBytes} bytes` })
    const send = (through: Through): SentBody | Promise<SentBody> => {
      const response = reply.begin(upstream.status, plan.headers, call)
      if (plan.whole !== undefined) return sendWhole(response, plan.whole)
      const { signal } = call.arrival
      return sendStream(upstream.body, response, { stallTimeoutMs, maxBytes, signal, through })
    }
    const sending = sendSearched(detectors, upstream.body, plan, send)
    const { sent, findings } = sending instanceof Promise ? await sending : sending
    return {
      code: sent.cause instanceof GatewayFault ? sent.cause.code : CODES[sent.end],
      status: upstream.status,
      ...seen,
      replyBytes: sent.bytes,
      replyDigest: sent.digest,
      reasons: call.decision.reasons,
      detail: sent.cause?.message ?? '',
      cause: sent.cause,
      ...(findings && { findings }),
      ...(withheld && { redacted: withheld.value.redacted }),
    }
  }
}
