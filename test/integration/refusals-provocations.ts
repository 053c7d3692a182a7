import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RefusalCode } from '../../gateway/refusal.ts'
import { createProofKey } from '../harness/proof.ts'
import type { Answer } from '../harness/send.ts'
import { APPROVAL_PROVOCATIONS } from './refusals-approvals.ts'
import { KEY_PROVOCATIONS } from './refusals-keys.ts'
import { type ConnectorName, READS } from './refusals-calls.ts'
import type { Ground } from './refusals-ground.ts'
import { EXHAUSTED, type GatewayKind } from './refusals-kinds.ts'
import { drainedWith, exhaustMemory, lockedOut, readAs, twice } from './refusals-moves.ts'

export interface Row {
  readonly kind: GatewayKind
  /** Brings the refusal about for one call to this connector. */
  provoke(ground: Ground, connector: ConnectorName): Promise<Answer>
  /** What is on record of the call; one outcome where absent. */
  readonly records?: readonly string[]
  /** No connector is addressed, so that the refusal has the plain dialect. */
  readonly plain?: true
  /** The gateway has closed its port by then. */
  readonly gone?: true
}

type Provoke = Row['provoke']

const at = (kind: GatewayKind, provoke: Provoke, more: Omit<Row, 'kind' | 'provoke'> = {}): Row => ({
  kind,
  provoke,
  ...more,
})

const plain = (provoke: Provoke): Row => at('plain', provoke)
const INTENDED = ['decision', 'outcome']
const asked = (task: string): Row =>
  plain((ground, connector) => ground.write('plain', connector, { headers: { 'toolgate-task': task } }))
const answeredBy = (kind: GatewayKind, software: string): Row =>
  at(kind, (ground, connector) => ground.read(kind, connector, { headers: { 'user-agent': software } }), {
    records: INTENDED,
  })

const CREDENTIAL_PARAMETER = {
  github: 'access_token',
  slack: 'token',
  jira: 'jwt',
  confluence: 'jwt',
} as const

/** Longer than any name of a vendor. */
const TOO_LONG = 'x'.repeat(1_000)
const LONG_NAMES = {
  github: `/github/repos/zyx/${TOO_LONG}/pulls/991`,
  jira: `/jira/rest/api/3/project/${TOO_LONG}`,
  confluence: `/confluence/wiki/api/v2/spaces/${TOO_LONG}`,
} as const

/** For every row of the table, what a caller, an operator or the world has to do to get it. */
export const PROVOCATIONS = {
  'request.malformed': plain((ground, connector) => ground.raw('plain', connector, ['Host: a b'])),
  'request.ambiguous': plain((ground, connector) =>
    ground.read('plain', connector, { headers: { x_forwarded_for: '1' } }),
  ),
  'request.target_invalid': plain(async (ground, connector) =>
    (await ground.gateway('plain')).send('GET', `/${connector}/repos/..%2fadmin`),
  ),
  'request.headers_too_large': plain((ground, connector) => {
    const many = Array.from({ length: 101 }, (_, index) => `X-${index}: 1`)
    return ground.raw('plain', connector, many)
  }),
  'request.body_too_large': plain((ground, connector) =>
    ground.write('plain', connector, { body: JSON.stringify({ text: 'x'.repeat(1024) }) }),
  ),
  'request.body_invalid': plain((ground, connector) =>
    ground.write('plain', connector, { body: '{"text": ', headers: { 'content-type': 'application/json' } }),
  ),
  'request.body_unsupported': plain((ground, connector) =>
    ground.write('plain', connector, { headers: { 'content-encoding': 'gzip' } }),
  ),
  'request.credential_misplaced': plain(async (ground, connector) => {
    const toolgate = await ground.gateway('plain')
    const parameter = `${CREDENTIAL_PARAMETER[connector]}=attackers-own`
    return connector === 'slack'
      ? ground.read('plain', connector, { body: `channel=C1&${parameter}` })
      : toolgate.send('GET', `${READS[connector].target}?${parameter}`)
  }),
  'request.expectation_unsupported': plain((ground, connector) =>
    ground.raw('plain', connector, ['Expect: a-miracle']),
  ),
  'request.timeout': at('impatient', (ground, connector) => ground.unfinished('impatient', connector)),

  'identity.missing': plain((ground, connector) =>
    ground.read('plain', connector, { authorization: null, proof: null }),
  ),
  'identity.ambiguous': plain((ground, connector) =>
    ground.raw('plain', connector, ['Authorization: Bearer another']),
  ),
  'identity.token_invalid': plain((ground, connector) =>
    ground.read('plain', connector, { token: 'eyJhbGciOiJub25lIn0.e30.' }),
  ),
  'identity.token_expired': plain(async (ground, connector) => {
    const token = (await ground.gateway('plain')).token({ nowMs: Date.now() - 600_000, lifetimeMs: 1000 })
    return ground.read('plain', connector, { token })
  }),
  'identity.token_unbound': plain(async (ground, connector) => {
    const token = (await ground.gateway('plain')).token({ jkt: undefined })
    return ground.read('plain', connector, { token })
  }),
  'identity.binding_mismatch': plain(async (ground, connector) => {
    const token = (await ground.gateway('plain')).token({ jkt: createProofKey().jkt })
    return ground.read('plain', connector, { token })
  }),
  'identity.proof_invalid': plain((ground, connector) => ground.read('plain', connector, { proof: 'a.b.c' })),
  'identity.proof_replayed': plain(async (ground, connector) => {
    const toolgate = await ground.gateway('plain')
    const token = toolgate.token()
    const { method, target } = READS[connector]
    const proof = toolgate.proof(method, target, { token })
    await ground.read('plain', connector, { token, proof })
    return ground.read('plain', connector, { token, proof })
  }),
  'identity.nonce_required': at('nonce', (ground, connector) => ground.read('nonce', connector)),
  'identity.forwarded_certificate_untrusted': plain((ground, connector) =>
    ground.read('plain', connector, { headers: { 'client-cert': ':AAAA:' } }),
  ),
  'identity.scope_insufficient': plain(async (ground, connector) => {
    const { jkt } = (await ground.gateway('plain')).key
    return ground.read('plain', connector, { token: ground.parts.strict.token({ jkt }) })
  }),
  'identity.keys_unavailable': plain(async (ground, connector) => {
    const { jkt } = (await ground.gateway('plain')).key
    return ground.read('plain', connector, { token: ground.parts.down.token({ jkt }) })
  }),

  'route.unknown_connector': at(
    'plain',
    async (ground) => (await ground.gateway('plain')).send('GET', '/nowhere/repos'),
    { plain: true },
  ),
  'route.unknown_operation': plain(async (ground, connector) =>
    (await ground.gateway('plain')).send('GET', `/${connector}/no/such/thing`),
  ),

  'limit.rate': plain((ground, connector) => twice(ground, connector, EXHAUSTED.rate)),
  'limit.quota': plain((ground, connector) => twice(ground, connector, EXHAUSTED.quota)),
  'limit.concurrency': plain(async (ground, connector) => {
    await ground.idle('plain')
    await using _held = await ground.held('plain', connector, EXHAUSTED.place)
    return await readAs(ground, 'plain', connector, EXHAUSTED.place)
  }),
  'breaker.upstream_open': at('touchy', async (ground, connector) => {
    await ground.read('touchy', connector, { headers: { 'user-agent': 'cut' } })
    return ground.read('touchy', connector)
  }),
  'breaker.agent_open': at('strict', async (ground, connector) => {
    // An agent of its own for each connector: one that is stopped is stopped everywhere.
    const agent = `reckless-${connector}`
    await readAs(ground, 'strict', connector, agent, 'denied')
    return readAs(ground, 'strict', connector, agent)
  }),
  'store.unavailable': at('stateless', async (ground, connector) => {
    await ground.gateway('stateless')
    await ground.parts.mortalRedis.kill()
    return ground.write('stateless', connector)
  }),

  'idempotency.in_flight': plain(KEY_PROVOCATIONS['idempotency.in_flight']),
  'idempotency.done': plain(KEY_PROVOCATIONS['idempotency.done']),
  'idempotency.mismatch': plain(KEY_PROVOCATIONS['idempotency.mismatch']),

  'policy.denied': asked('denied'),
  'policy.error': asked('conflict'),
  'policy.invalid': asked('invalid'),
  'policy.input_invalid': plain(async (ground, connector) =>
    connector === 'slack'
      ? ground.read('plain', connector, { body: `channel=${TOO_LONG}` })
      : (await ground.gateway('plain')).send('GET', LONG_NAMES[connector]),
  ),
  'policy.obligation_unsupported': asked('unsupported'),
  'policy.answer_withheld': { ...asked('withheld'), records: INTENDED },
  'policy.unavailable': plain(async (ground, connector) => {
    // Where memory has come back, the next call finds it.
    await ground.write('plain', connector)
    using _exhausted = exhaustMemory()
    await ground.write('plain', connector, { headers: { 'toolgate-task': 'conflict' } })
    return await ground.write('plain', connector)
  }),

  'lock.engaged': plain(async (ground, connector) => {
    await lockedOut(ground, 'plain', 'stopped-agent')
    return readAs(ground, 'plain', connector, 'stopped-agent')
  }),
  'lock.unknown': at('unheard', (ground, connector) => ground.read('unheard', connector)),

  'approval.required': plain(APPROVAL_PROVOCATIONS['approval.required']),
  'approval.pending': plain(APPROVAL_PROVOCATIONS['approval.pending']),
  'approval.denied': plain(APPROVAL_PROVOCATIONS['approval.denied']),
  'approval.expired': plain(APPROVAL_PROVOCATIONS['approval.expired']),
  'approval.revoked': plain(APPROVAL_PROVOCATIONS['approval.revoked']),
  'approval.used': plain(APPROVAL_PROVOCATIONS['approval.used']),
  'approval.mismatch': plain(APPROVAL_PROVOCATIONS['approval.mismatch']),
  'approval.unknown': plain(APPROVAL_PROVOCATIONS['approval.unknown']),
  'approval.unbindable': at('roomy', APPROVAL_PROVOCATIONS['approval.unbindable']),
  'approval.too_many': at('eager', APPROVAL_PROVOCATIONS['approval.too_many']),
  'approval.unavailable': at('forgetful', APPROVAL_PROVOCATIONS['approval.unavailable']),

  'credential.unavailable': at('unsealed', (ground, connector) => ground.read('unsealed', connector)),
  'audit.unavailable': at(
    'unrecorded',
    async (ground, connector) => {
      const toolgate = await ground.gateway('unrecorded')
      // Where its folder is gone the log cannot begin its next segment. The log goes on writing while it is removed.
      const removal = { recursive: true, force: true, maxRetries: 20, retryDelay: 10 }
      await rm(join(toolgate.auditDirectory, 'worker-0'), removal)
      const headers = { 'toolgate-rationale': 'because '.repeat(250) }
      let answer = await ground.write('unrecorded', connector, { headers })
      for (let calls = 1; answer.decision === 'allow' && calls < 200; calls += 1) {
        answer = await ground.write('unrecorded', connector, { headers })
      }
      return answer
    },
    { records: [] },
  ),

  'upstream.address_denied': answeredBy('guarded', 'answer'),
  'upstream.unreachable': answeredBy('unreachable', 'answer'),
  'upstream.protocol': answeredBy('plain', 'cut'),
  'upstream.redirect_denied': answeredBy('plain', 'redirect'),
  'upstream.timeout': answeredBy('impatient', 'hang'),

  'gateway.draining': at('drained', (ground, connector) => drainedWith(ground, connector), {
    records: INTENDED,
    gone: true,
  }),
  'gateway.overloaded': at('full', async (ground, connector) => {
    await ground.idle('full')
    await using _held = await ground.held('full', connector)
    return await ground.read('full', connector)
  }),
  'gateway.fault': at('faulty', (ground, connector) => ground.read('faulty', connector)),
} as const satisfies Record<RefusalCode, Row>
