import type { Socket } from 'node:net'
import { type Issuer, startIssuer } from '../harness/issuer.ts'
import { compileRules } from '../harness/opa.ts'
import { type RunningRedis, startRedis } from '../harness/redis.ts'
import { type RawUpstream, startRawUpstream } from '../harness/upstream.ts'

/** Decides as the task of the call asks, so that one policy gives every answer that a policy can give. */
const RULES = `
task := input.declared.task

approval := {"id": "two-people", "type": "approval", "properties": {
  "groups": ["change-approvers"], "count": 1, "distinct": true, "ttl_seconds": 600,
  "escalation_group": "on-call", "escalate_after_seconds": 300,
}}
limit := {"id": "later", "type": "limit", "properties": {"name": "later"}}
withheld := {"id": "small", "type": "cap_bytes", "properties": {"max_bytes": 1}}
reason := {"code": "group.not_allowed", "rule": "R010", "detail": ""}

outcome(allow, reasons, obligations) := {
  "allow": allow, "risk": 0, "reasons": reasons, "obligations": obligations,
}

known if input.agent.id != ""
special := {"denied", "approval", "unsupported", "withheld", "invalid", "conflict"}

decision := outcome(false, [reason], []) if not known
decision := outcome(true, [], []) if { known; not special[task] }
decision := outcome(false, [reason], []) if { known; task == "denied" }
owed contains approval if input.approval.state != "approved"
decision := outcome(true, [], owed) if { known; task == "approval" }
decision := outcome(true, [], [limit]) if { known; task == "unsupported" }
decision := outcome(true, [], [withheld]) if { known; task == "withheld" }
decision := {"allow": "yes"} if { known; task == "invalid" }
decision := outcome(true, [], []) if { known; task == "conflict" }
decision := outcome(false, [reason], []) if { known; task == "conflict" }
`

/** What the upstream does is asked for by the name of the caller's software, which every connector passes on. */
const UPSTREAM = {
  cut: (socket: Socket) => void socket.destroy(),
  hang: () => undefined,
  redirect: (socket: Socket) =>
    void socket.write(
      'HTTP/1.1 302 Found\r\nLocation: https://attacker.example/\r\nContent-Length: 0\r\n\r\n',
    ),
  answer: (socket: Socket) =>
    void socket.write('HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'),
} as const

function behave(socket: Socket, head: string): void {
  const wanted = /^user-agent: (\w+)/im.exec(head)?.[1] ?? ''
  const behaviour = Object.hasOwn(UPSTREAM, wanted) ? (wanted as keyof typeof UPSTREAM) : 'answer'
  // A second answer on a connection that is gone, or to the body of the first request, is nobody's.
  UPSTREAM[behaviour](socket)
}

export interface Parts {
  readonly bundle: Buffer
  readonly upstream: RawUpstream
  readonly strict: Issuer
  readonly down: Issuer
  /** Counts for `plain`. */
  readonly redis: RunningRedis
  /** Is killed by the provocation that needs a store that is gone. */
  readonly mortalRedis: RunningRedis
  /** Keeps what people decide for `forgetful`, until it is killed. */
  readonly controlRedis: RunningRedis
}

/** What the gateways of every kind stand between; `down` is an issuer whose keys cannot be had. */
export async function startParts(stack: AsyncDisposableStack): Promise<Parts> {
  const [bundle, upstream, strict, down, redis, mortalRedis, controlRedis] = await Promise.all([
    compileRules(RULES),
    startRawUpstream(behave),
    startIssuer(),
    startIssuer(),
    startRedis(),
    startRedis(),
    startRedis(),
  ])
  for (const part of [upstream, strict, down, redis, mortalRedis, controlRedis]) stack.use(part)
  down.answerWith((_request, response) => response.writeHead(500).end())
  return { bundle, upstream, strict, down, redis, mortalRedis, controlRedis }
}
