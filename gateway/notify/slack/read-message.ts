import type { ApprovalId } from '../../approvals/approval.ts'
import type { HeaderList } from '../../lib/header-list.ts'
import { parseMediaType } from '../../lib/media-type.ts'
import { parseStrictJson } from '../../lib/strict-json.ts'
import { APPROVE_ACTION, DENY_ACTION } from './approval-message.ts'

/** Who did something in Slack, and where; everything in it is vouched for by Slack, and by nobody else. */
export interface SlackSender {
  readonly teamId: string
  readonly appId: string
  /** Of the user; another than `teamId` for guests of a shared channel. */
  readonly userTeamId: string
  readonly userId: string
  readonly channel: string
}

export interface SlackClick extends SlackSender {
  /** Time of the message that the button is on. */
  readonly messageTs: string
  readonly verdict: 'approve' | 'deny'
  readonly approval: ApprovalId
  readonly viewDigest: string
}

export interface SlackCommand extends SlackSender {
  readonly command: string
  readonly text: string
}

const PAYLOAD_DEPTH = 32
const ID = /^[A-Z0-9]{2,32}$/
const TS = /^\d{1,16}\.\d{1,9}$/
const VALUE = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) ([0-9a-f]{64})$/
const TEXT_LIMIT = 4_000

/** A click on one of our buttons; `undefined` for whatever else an app may be sent. */
export function readClick(headers: HeaderList, body: Buffer): SlackClick | undefined {
  const form = readForm(headers, body)
  if (form === undefined || form.size !== 1) return undefined
  const reading = parseStrictJson(Buffer.from(form.get('payload') ?? ''), PAYLOAD_DEPTH)
  if (!reading.ok) return undefined
  const payload = recordOf(reading.value)
  const { type, api_app_id: appId, team, user, container, actions } = payload
  const { channel_id: channel, message_ts: messageTs, type: containerType } = recordOf(container)
  if (type !== 'block_actions' || containerType !== 'message') return undefined
  if (!Array.isArray(actions) || actions.length !== 1) return undefined
  const { action_id: actionId, value } = recordOf(actions[0])
  const verdict = actionId === APPROVE_ACTION ? 'approve' : actionId === DENY_ACTION ? 'deny' : undefined
  const [, approval, viewDigest] = VALUE.exec(textOf(value)) ?? []
  const sender = senderOf({ appId, channel, team: recordOf(team)['id'], user: recordOf(user) })
  if (verdict === undefined || approval === undefined || viewDigest === undefined || sender === undefined)
    return undefined
  if (!TS.test(textOf(messageTs))) return undefined
  return { ...sender, messageTs: textOf(messageTs), verdict, approval: approval as ApprovalId, viewDigest }
}

/** A slash command; `undefined` for what is none. */
export function readCommand(headers: HeaderList, body: Buffer): SlackCommand | undefined {
  const form = readForm(headers, body)
  if (form === undefined) return undefined
  const sender = senderOf({
    appId: form.get('api_app_id'),
    channel: form.get('channel_id'),
    team: form.get('team_id'),
    user: { id: form.get('user_id') },
  })
  const command = form.get('command') ?? ''
  const text = form.get('text') ?? ''
  if (sender === undefined || !/^\/[a-z0-9_-]{1,32}$/.test(command) || text.length > TEXT_LIMIT)
    return undefined
  return { ...sender, command, text }
}

/** Fields of a form in which each occurs once: of two, somebody else might believe the other. */
function readForm(headers: HeaderList, body: Buffer): ReadonlyMap<string, string> | undefined {
  const type = parseMediaType(headers.get('content-type') ?? '')
  if (type?.essence !== 'application/x-www-form-urlencoded' || headers.has('content-encoding'))
    return undefined
  const fields = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(body.toString('latin1'))) {
    if (fields.has(name)) return undefined
    fields.set(name, value)
  }
  return fields
}

function senderOf(untrusted: {
  readonly appId: unknown
  readonly channel: unknown
  readonly team: unknown
  readonly user: Readonly<Record<string, unknown>>
}): SlackSender | undefined {
  const { appId, channel, team, user } = untrusted
  const given = { teamId: team, appId, userTeamId: user['team_id'] ?? team, userId: user['id'], channel }
  const sender = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, textOf(value)]))
  return Object.values(sender).every((value) => ID.test(value))
    ? (sender as typeof sender & SlackSender)
    : undefined
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
