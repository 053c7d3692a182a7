import { join } from 'node:path'
import type { DetectionEntry } from '../../gateway/audit/change-entry.ts'
import { type DetectionName, DETECTION_NAMES, ruleOf } from '../../gateway/detections/rules.ts'
import { adminTls, type TestAdmin, startTestAdmin } from '../harness/admin.ts'
import { SECRETS } from '../harness/detector-samples.ts'
import { type ExportCollector, startExportCollector } from '../harness/export-collector.ts'
import { type Sent, startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { type NotifyReceiver, startNotifyReceiver } from '../harness/notify-receiver.ts'
import { compileRules } from '../harness/opa.ts'
import { createPki, type Pki } from '../harness/pki.ts'
import { createProofKey, type ProofKey, signProof } from '../harness/proof.ts'
import { type Answer, createSender } from '../harness/send.ts'
import { startSyslogReceiver, type SyslogReceiver } from '../harness/syslog-receiver.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'
import { startUpstream } from '../harness/upstream.ts'

export const PLAIN = '/github/repos/zyx/platform-infra/pulls/1'
export const DENIED = '/github/repos/zyx/platform-infra/pulls/2'
export const LEAKS = '/github/repos/zyx/platform-infra/pulls/3'
export const COMMENTS = '/github/repos/zyx/platform-infra/issues/1/comments'
export const PRODUCTION = '/github/repos/zyx/payments-core/issues/1/comments'

/** What is enough here: never more calls than a test has to send. */
export const THRESHOLDS: Partial<Record<DetectionName, number>> = {
  denials_repeated: 3,
  calls_burst: 12,
  credential_errors: 3,
  approvals_spike: 2,
}
export const UNENTITLED = 'mallory@zyx.example'
const PEOPLE = {
  entitled: { id: 'kim@zyx.example', uri: 'spiffe://zyx.example/people/kim', groups: ['change-approvers'] },
  unentitled: { id: UNENTITLED, uri: 'spiffe://zyx.example/people/mallory', groups: ['visitors'] },
} as const

/** Production is denied, and so is whoever reads pull request 2; a write of the task `held` waits for people, one of `reviewed` is
 * shown to them afterwards. */
const RULES = `
reason := {"code": "write.not_allowed", "rule": "R030", "detail": ""}
denied contains reason if input.agent.id == ""
denied contains reason if input.operation.environment == "production"
denied contains reason if input.params.path.pull_number == "2"

owed contains {"id": "R060", "type": "approval", "properties": {
  "groups": ["change-approvers"], "count": 1, "distinct": true, "ttl_seconds": 600,
  "escalation_group": "on-call", "escalate_after_seconds": 300, "excluded": [],
}} if input.declared.task == "held"

owed contains {"id": "R062", "type": "post_review", "properties": {
  "groups": ["change-approvers"], "ttl_seconds": 600,
}} if input.declared.task == "reviewed"

decision := {"allow": count(denied) == 0, "risk": 4, "reasons": denied, "obligations": owed}
`

/** With whose token and key a call is made. */
export interface Caller {
  readonly token: string
  readonly key: ProofKey
}

interface Shown {
  readonly viewDigest: string
}

interface Listed {
  readonly id: string
  readonly agent: string
}

/** A gateway for which business is always over, that locks wherever it can, and everybody who is told of it. */
export interface Scene extends AsyncDisposable {
  readonly toolgate: TestGateway
  readonly webhook: ExportCollector
  readonly syslog: SyslogReceiver
  readonly notices: NotifyReceiver
  /** Where entries are exported to, one on each line. */
  readonly exportFile: string
  /** Calls of the agent that is called so; with a token and key of its own, or this key. */
  caller(agent: string, key?: ProofKey, principal?: string): Caller
  send(caller: Caller, method: string, target: string, more?: Sent): Promise<Answer>
  comment(
    caller: Caller,
    text: string,
    more?: { readonly task?: string; readonly target?: string },
  ): Promise<Answer>
  /** What somebody says, at the admin listener, to the only approval or review that the agent waits for. */
  vote(who: keyof typeof PEOPLE, verdict: 'approve' | 'deny', agent: string): Promise<Answer>
  detections(): Promise<DetectionEntry[]>
}

export async function openScene(): Promise<Scene> {
  await using stack = new AsyncDisposableStack()
  const pki = stack.use(createPki())
  const folder = stack.use(await temporaryDirectory())
  const upstream = stack.use(
    await startUpstream((request, response) => {
      const body = request.url?.endsWith('/3') === true ? `the key is ${SECRETS.gitlab_token}` : 'fine'
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ body }))
    }),
  )
  const webhook = stack.use(await startExportCollector())
  const syslog = stack.use(await startSyslogReceiver())
  const notices = stack.use(await startNotifyReceiver())
  const exportFile = join(folder.path, 'export.jsonl')
  const toolgate = stack.use(
    await startTestGateway({
      upstream: upstream.origin,
      bundle: await compileRules(RULES),
      settings: {
        listen: { admin: { tls: files(pki), people: { certificates: Object.values(PEOPLE) } } },
        policy: { businessHours: { days: [] } },
        detections: settings(),
        notify: { targets: { team: targetOf(notices.url) } },
        audit: {
          exports: {
            siem: { format: 'ocsf', webhook: { url: webhook.url } },
            lake: { file: exportFile },
            collector: { format: 'ocsf', syslog: { host: '127.0.0.1', port: syslog.port, tls: false } },
          },
        },
      },
    }),
  )
  const admin = stack.use(await openAdmin(toolgate, pki))
  const sender = stack.use(createSender(pki))
  const clients = {
    entitled: pki.client({ uris: [PEOPLE.entitled.uri] }),
    unentitled: pki.client({ uris: [PEOPLE.unentitled.uri] }),
  }
  const send: Scene['send'] = ({ token, key }, method, target, more) => {
    const proof = signProof({ key, method, url: toolgate.origin + target, token })
    return toolgate.send(method, target, { token, proof, ...more })
  }
  const owned = stack.move()
  return {
    toolgate,
    webhook,
    syslog,
    notices,
    exportFile,
    caller(agent, key = createProofKey(), principal = `${agent}@zyx.example`) {
      return { key, token: toolgate.token({ jkt: key.jkt, claims: { client_id: agent, sub: principal } }) }
    },
    send,
    comment(caller, text, { task = '', target = COMMENTS } = {}) {
      const headers = { 'content-type': 'application/json', ...(task !== '' && { 'toolgate-task': task }) }
      return send(caller, 'POST', target, { body: JSON.stringify({ body: text }), headers })
    },
    async vote(who, verdict, agent) {
      const client = clients[who]
      const ask = (method: string, path: string, body?: object): Promise<Answer> => {
        const target = `/admin/v1/approvals${path}`
        const headers = { 'content-type': 'application/json' }
        const origin = `https://127.0.0.1:${admin.port}`
        return sender.send({ origin, method, target, headers, body: body && JSON.stringify(body), client })
      }
      const { approvals } = (await ask('GET', '')).json() as { readonly approvals: readonly Listed[] }
      const id = approvals.find((each) => each.agent === agent)?.id ?? 'none'
      const { approval } = (await ask('GET', `/${id}`)).json() as { readonly approval: Shown }
      const { viewDigest } = approval
      return ask('POST', `/${id}/votes`, { verdict, viewDigest })
    },
    detections: async () => (await toolgate.records()).filter((entry) => entry.type === 'detection'),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Each locks something that the others leave alone where one call may raise several. */
function settings(): Record<string, object> {
  return {
    ...Object.fromEntries(
      DETECTION_NAMES.map((name) => {
        const { locks } = ruleOf(name)
        const threshold = THRESHOLDS[name]
        return [
          name,
          {
            ...(locks.length > 0 && { action: 'lock' }),
            ...(threshold !== undefined && { threshold }),
          },
        ]
      }),
    ),
    write_outside_hours: { action: 'lock', lock: { scope: 'key', writesOnly: true } },
    operation_first_use: { action: 'lock', lock: { scope: 'token' } },
  }
}

function targetOf(url: string): object {
  return { events: ['detection'], webhook: { url, allowAddresses: ['127.0.0.0/8'] } }
}

/** The admin listener, at which people show certificates. */
function openAdmin({ gateway, loaded }: TestGateway, pki: Pki): Promise<TestAdmin> {
  const { control, channel } = gateway
  return startTestAdmin({ tls: adminTls(pki), people: loaded.listen.admin.people }, { control, channel })
}

function files(pki: Pki): object {
  const { crlFile: _none, ...files } = adminTls(pki)
  return files
}
