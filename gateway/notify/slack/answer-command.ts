import type { SlackAppConfig } from '../../config/notify-config.ts'
import type { Actor } from '../../control/actor.ts'
import type { ControlAnswer, ControlRequest } from '../../control/control.ts'
import { escapeMrkdwn, nameIn } from './mrkdwn.ts'
import type { SlackCommand } from './read-message.ts'
import { personOf } from './slack-people.ts'

export interface AnswerCommandOptions {
  readonly app: Pick<SlackAppConfig, 'people' | 'lockGroups'>
  /** The same requests that the admin listener takes, so that the same is checked and recorded. */
  readonly control: (request: ControlRequest) => Promise<ControlAnswer>
}

export interface CommandAnswer {
  readonly result: 'done' | 'refused' | 'not_entitled' | 'unreadable'
  /** In mrkdwn, for whoever asked alone. */
  readonly text: string
}

const LIST_LIMIT = 20
const UNITS_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Sets, lists and releases locks for whoever is in a group that may. */
export async function answerCommand(
  command: SlackCommand,
  { app, control }: AnswerCommandOptions,
): Promise<CommandAnswer> {
  const { person, isKnown } = personOf(command, app)
  if (!person.groups.some((group) => app.lockGroups.includes(group))) {
    const text = isKnown
      ? 'You are in none of the groups that may use locks (`notify.slack.lockGroups`).'
      : `Toolgate does not know you (\`${command.userId}\`).`
    return { result: 'not_entitled', text }
  }
  const request = requestOf(command.text, { kind: 'person', person })
  if (request === undefined) return { result: 'unreadable', text: usage(command.command) }
  const answer = await control(request)
  if (answer.status >= 400) return { result: 'refused', text: problemText(answer) }
  return { result: 'done', text: doneText(request, answer) }
}

/** `undefined` for what cannot be read. */
function requestOf(text: string, actor: Actor): ControlRequest | undefined {
  const [word, verb, subject, ...rest] = text.trim().split(/\s+/)
  if (word !== 'lock') return undefined
  const base = { query: '', body: undefined, actor }
  switch (verb) {
    case 'list':
      return subject === undefined ? { ...base, method: 'GET', path: 'locks' } : undefined
    case 'set': {
      const body = subject === undefined ? undefined : wantedLock(subject, rest)
      return body && { ...base, method: 'POST', path: 'locks', body }
    }
    case 'release': {
      if (subject === undefined) return undefined
      const reason = rest.join(' ')
      const path = `locks/${encodeURIComponent(subject)}`
      return { ...base, method: 'DELETE', path, ...(reason !== '' && { body: { reason } }) }
    }
    default:
      return undefined
  }
}

/** Nothing that narrows what a lock stops may stand before the reason, as a reason could begin with the same word. */
function wantedLock(scope: string, words: readonly string[]): object | undefined {
  const [first, length = '', ...others] = words
  const lifetimeMs = first === 'for' ? lifetimeOf(length) : 0
  const rest = first === 'for' ? others : words
  const isForTwo = rest[0] === 'two-person'
  const reason = rest.slice(isForTwo ? 1 : 0).join(' ')
  if (reason === '' || lifetimeMs === undefined) return undefined
  return {
    scope,
    reason,
    ...(lifetimeMs > 0 && { expiresInMs: lifetimeMs }),
    ...(isForTwo && { release: 'another-person' }),
  }
}

function lifetimeOf(text: string): number | undefined {
  const [, count, unit] = /^([1-9]\d{0,3})([mhd])$/.exec(text) ?? []
  return count === undefined ? undefined : Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS]
}

function usage(command: string): string {
  return [
    `\`${command} lock set SCOPE [for 30m|2h|1d] [two-person] REASON\` — SCOPE such as \`agent:NAME\`, \`connector:NAME\`, \`writes\`, \`all\``,
    `\`${command} lock list\``,
    `\`${command} lock release ID [REASON]\``,
  ].join('\n')
}

function doneText({ method }: ControlRequest, { body }: ControlAnswer): string {
  const { lock, locks, state, warnings } = fieldsOf(body)
  if (method === 'GET') return listText(listOf(locks).map(fieldsOf), String(state))
  const { id, scope } = fieldsOf(lock)
  const warned = listOf(warnings).map((warning) => `\n:warning: ${escapeMrkdwn(String(warning))}`)
  return method === 'POST'
    ? `:lock: Locked ${nameIn(String(scope))}. To release it: \`lock release ${String(id)}\`${warned.join('')}`
    : `:unlock: Released ${nameIn(String(scope))}.`
}

function listText(locks: readonly Readonly<Record<string, unknown>>[], state: string): string {
  const stale =
    state === 'fresh' ? '' : `\n:warning: The locks in force may not all be known (${nameIn(state)}).`
  if (locks.length === 0) return `No locks are in force.${stale}`
  const lines = locks
    .slice(0, LIST_LIMIT)
    .map(
      ({ id, scope, reason, release }) =>
        `${nameIn(String(scope))} ${nameIn(String(id))}: ${escapeMrkdwn(String(reason))}${release === 'another-person' ? ' (takes another person)' : ''}`,
    )
  const more = locks.length - LIST_LIMIT
  return [...lines, ...(more > 0 ? [`and ${String(more)} more`] : [])].join('\n') + stale
}

function problemText({ body }: ControlAnswer): string {
  const { title, detail } = fieldsOf(body)
  const said = [title, detail].filter((each) => typeof each === 'string')
  return `:x: ${escapeMrkdwn(said.join(': '))}`
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
