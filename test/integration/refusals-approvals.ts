import type { ApprovalId } from '../../gateway/approvals/approval.ts'
import { type Approver, openApprover } from '../harness/approver.ts'
import type { Answer } from '../harness/send.ts'
import type { ConnectorName } from './refusals-calls.ts'
import type { Ground } from './refusals-ground.ts'
import type { Row } from './refusals-provocations.ts'

type Provoke = Row['provoke']

/** A write that people have to approve; what it is for makes it a call of its own. */
function write(
  ground: Ground,
  connector: ConnectorName,
  purpose: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const declared = { 'toolgate-task': 'approval', 'toolgate-ticket': purpose }
  return ground.write('plain', connector, { headers: { ...declared, ...headers } })
}

/** Asks for an approval, lets people (or time) do something with it, and calls with it. */
function answeredBy(
  purpose: string,
  act: (approver: Approver, id: ApprovalId) => Promise<ApprovalId | void>,
): Provoke {
  return async (ground, connector) => {
    const { approval } = (await write(ground, connector, purpose)).json() as { approval: { id: ApprovalId } }
    await using approver = await openApprover((await ground.gateway('plain')).loaded)
    const id = (await act(approver, approval.id)) ?? approval.id
    return await write(ground, connector, purpose, { 'toolgate-approval': id })
  }
}

async function approve(approver: Approver, id: ApprovalId): Promise<void> {
  await approver.say('approve', id)
}

/** The same with hardly any time to answer it. */
async function expire({ service, get }: Approver, id: ApprovalId): Promise<ApprovalId> {
  const { kind, subject, terms } = await get(id)
  await service.revoke(id, { by: 'test', reason: 'to ask anew' })
  const demand = { ...terms, escalateAfterMs: 0, answerWithinMs: 1 }
  const asked = await service.request({ kind, subject, demand })
  if (asked.kind === 'full') throw new Error('full')
  return asked.approval.id
}

const NO_APPROVAL = '019aa5b2-0000-7000-8000-000000000000'

/** Files, which may be larger than what is held to be looked at. */
const UPLOADS = {
  github: {
    target: '/github/repos/zyx/platform-infra/releases/1/assets?name=a',
    type: 'application/octet-stream',
  },
  jira: { target: '/jira/rest/api/3/issue/CHG-18422/attachments', type: 'multipart/form-data; boundary=b' },
  confluence: {
    target: '/confluence/wiki/rest/api/content/1/child/attachment',
    type: 'multipart/form-data; boundary=b',
  },
  slack: { target: '/slack/upload/v1/F0123', type: 'application/octet-stream' },
} as const

const LARGE = Buffer.alloc(1_100_000, 'x')

export const APPROVAL_PROVOCATIONS = {
  'approval.required': (ground, connector) => write(ground, connector, 'R-1'),
  'approval.pending': (ground, connector) => write(ground, connector, 'R-2', { prefer: 'respond-async' }),
  'approval.denied': answeredBy('R-3', async (approver, id) => void (await approver.say('deny', id))),
  'approval.expired': answeredBy('R-4', expire),
  'approval.revoked': answeredBy('R-5', async ({ service }, id) => {
    await service.revoke(id, { by: 'kim@zyx.example', reason: 'a mistake' })
  }),
  'approval.used': async (ground, connector) => {
    const first = answeredBy('R-6', approve)
    const used = await first(ground, connector)
    if (used.decision !== 'allow') throw new Error(`not allowed: ${used.text}`)
    await using approver = await openApprover((await ground.gateway('plain')).loaded)
    const [last] = await approver.service.list(['consumed'], 1)
    return await write(ground, connector, 'R-6', { 'toolgate-approval': last?.id ?? '' })
  },
  'approval.mismatch': async (ground, connector) => {
    const { approval } = (await write(ground, connector, 'R-7')).json() as { approval: { id: ApprovalId } }
    return write(ground, connector, 'R-8', { 'toolgate-approval': approval.id })
  },
  'approval.unknown': (ground, connector) =>
    write(ground, connector, 'R-9', { 'toolgate-approval': NO_APPROVAL }),
  'approval.unbindable': async (ground, connector) => {
    const { target, type } = UPLOADS[connector]
    const headers = { 'content-type': type, 'toolgate-task': 'approval' }
    return (await ground.gateway('roomy')).send('POST', target, { headers, body: LARGE })
  },
  'approval.too_many': async (ground, connector) => {
    const token = (await ground.gateway('eager')).token({ claims: { client_id: `eager-${connector}` } })
    const ask = (ticket: string): Promise<Answer> =>
      ground.write('eager', connector, {
        token,
        headers: { 'toolgate-task': 'approval', 'toolgate-ticket': ticket },
      })
    await ask('R-1')
    return ask('R-2')
  },
  'approval.unavailable': async (ground, connector) => {
    await ground.gateway('forgetful')
    await ground.parts.controlRedis.kill()
    // Writes are refused before, once the locks are not heard of for a while.
    return ground.read('forgetful', connector, { headers: { 'toolgate-approval': NO_APPROVAL } })
  },
} as const satisfies Record<string, Provoke>
