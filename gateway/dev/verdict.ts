/** What a reply says of one call, read the same way for every vendor's dialect. */
export interface CallVerdict {
  /** From `Toolgate-Decision`; undefined when no gateway answered. */
  readonly decision: 'allow' | 'deny' | 'hold' | undefined
  readonly status: number
  readonly callId: string
  /** Refusal code of the gateway, such as `policy.denied`; empty when it allowed the call. */
  readonly code: string
  readonly reasons: readonly { readonly code: string; readonly rule: string; readonly detail: string }[]
  /** Whether the upstream itself answered with an error; Slack says so in a body with status 200. */
  readonly upstreamError: boolean
  readonly mediaType: string
  readonly body: Buffer
}

/** Reads a reply to its end. The body is kept as it is; JSON in it is looked at, never required. */
export async function readVerdict(reply: Response): Promise<CallVerdict> {
  const body = Buffer.from(await reply.arrayBuffer())
  const mediaType = (reply.headers.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  const members = jsonMembers(mediaType, body)
  const decision = decisionOf(reply.headers.get('toolgate-decision'))
  const refused = decision === 'deny' || decision === 'hold'
  return {
    decision,
    status: reply.status,
    callId: reply.headers.get('toolgate-call-id') ?? '',
    code: refused && typeof members['code'] === 'string' ? members['code'] : '',
    reasons: refused ? reasonsOf(members['reasons']) : [],
    upstreamError: !refused && (reply.status >= 400 || members['ok'] === false),
    mediaType,
    body,
  }
}

/** The reason codes where policy gave some, else the refusal's own code; empty for an allowed call. */
export function reasonText(verdict: CallVerdict): string {
  return verdict.reasons.length > 0 ? verdict.reasons.map(({ code }) => code).join(', ') : verdict.code
}

function decisionOf(header: string | null): CallVerdict['decision'] {
  return header === 'allow' || header === 'deny' || header === 'hold' ? header : undefined
}

function jsonMembers(mediaType: string, body: Buffer): Readonly<Record<string, unknown>> {
  if (!/[/+]json$/.test(mediaType)) return {}
  try {
    const parsed: unknown = JSON.parse(body.toString())
    return isObject(parsed) ? parsed : {}
  } catch {
    return {}
  }
}

function reasonsOf(value: unknown): CallVerdict['reasons'] {
  if (!Array.isArray(value)) return []
  return value.filter(isObject).map(({ code, rule, detail }) => ({
    code: typeof code === 'string' ? code : '',
    rule: typeof rule === 'string' ? rule : '',
    detail: typeof detail === 'string' ? detail : '',
  }))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
