import { createHmac, randomUUID } from 'node:crypto'
import { startSlackFake, type SlackFake } from '../../connectors/slack/fake.ts'
import type { SlackMessage } from '../../connectors/slack/fake/world.ts'

export const SLACK_TOKEN = 'xoxb-toolgate-app'
export const SLACK_SECRET = '8f742231b10e8888abcd99yyyzzz85a5'
export const TEAM = 'T0ZYXBANK'
export const APP = 'A0TOOLGATE'
export const REVIEW_CHANNEL = 'C0CHANGEREV'

/** A request as Slack sends it, whoever it is from. */
export interface SlackRequest {
  readonly path: 'slack/interactions' | 'slack/commands'
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface SigningOptions {
  readonly secret?: string
  readonly timestamp?: number
}

interface ClickOptions extends SigningOptions {
  readonly user?: string
  readonly team?: string
  readonly userTeam?: string
  readonly app?: string
  readonly channel?: string
  readonly value?: string
}

export interface SlackWorkspace extends AsyncDisposable {
  readonly fake: SlackFake
  /** Messages of a channel, as they stand by now. */
  messages(channel?: string): readonly SlackMessage[]
  /** The text of everything that a message shows. */
  shown(message: SlackMessage): string
  /** What one user was told and nobody else. */
  told(user: string): readonly string[]
}

/** Slack, with the users that tests act as. */
export async function startSlackWorkspace(): Promise<SlackWorkspace> {
  const fake = await startSlackFake({ token: SLACK_TOKEN })
  const { world } = fake
  for (const name of ['omar', 'ida', 'eve'])
    world.users.set(`U0${name.toUpperCase()}`, {
      id: `U0${name.toUpperCase()}`,
      name,
      email: `${name}@zyx.example`,
    })
  const messages = (channel = REVIEW_CHANNEL): readonly SlackMessage[] =>
    world.channels.get(channel)?.messages ?? []
  return {
    fake,
    messages,
    shown: ({ blocks }) => textsIn(blocks).join('\n'),
    told: (user) =>
      [...world.channels.values()].flatMap(({ ephemerals }) =>
        ephemerals.filter((each) => each.user === user).map(({ text }) => text),
      ),
    [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
  }
}

/** What the settings below take their secrets from. */
export const SLACK_ENVIRONMENT = { SLACK_BOT: SLACK_TOKEN, SLACK_SIGNING: SLACK_SECRET } as const

/** `notify.slack` of a gateway that works with this workspace; `people` by the ids of their users. */
export function slackSettings(
  { fake }: Pick<SlackWorkspace, 'fake'>,
  people: Readonly<Record<string, { readonly person: string; readonly groups: readonly string[] }>>,
) {
  return {
    url: `${fake.origin}/api`,
    allowAddresses: ['127.0.0.0/8'],
    teamId: TEAM,
    appId: APP,
    token: 'env:SLACK_BOT',
    signingSecrets: ['env:SLACK_SIGNING'],
    people,
  }
}

/** The buttons of a message, by what stands on them. */
export function buttonsOf({ blocks }: Pick<SlackMessage, 'blocks'>): ReadonlyMap<string, SlackButton> {
  const all = (blocks as readonly { type: string; elements?: readonly SlackButton[] }[]).flatMap(
    ({ type, elements = [] }) => (type === 'actions' ? elements : []),
  )
  return new Map(all.map((button) => [button.text.text, button]))
}

interface SlackButton {
  readonly action_id: string
  readonly value: string
  readonly text: { readonly text: string }
}

/** What Slack sends when somebody clicks on a button: the whole message with it, escaped as Slack escapes JSON. */
export function click(message: SlackMessage, label: string, options: ClickOptions = {}): SlackRequest {
  const button = buttonsOf(message).get(label)
  if (button === undefined) throw new Error(`the message has no button ${label}`)
  const { user = 'U0OMAR', team = TEAM, userTeam = team, app = APP, channel = REVIEW_CHANNEL } = options
  const payload = {
    type: 'block_actions',
    user: { id: user, username: user.toLowerCase(), name: user.toLowerCase(), team_id: userTeam },
    api_app_id: app,
    token: 'deprecated',
    container: { type: 'message', message_ts: message.ts, channel_id: channel, is_ephemeral: false },
    trigger_id: randomUUID(),
    team: { id: team, domain: 'zyx-bank' },
    channel: { id: channel, name: 'devsecops-change-review' },
    message: {
      type: 'message',
      user: 'U0TOOLGATE',
      ts: message.ts,
      text: message.text,
      blocks: message.blocks,
    },
    response_url: `https://hooks.slack.com/actions/${team}/1/2`,
    actions: [
      { ...button, ...(options.value !== undefined && { value: options.value }), action_ts: message.ts },
    ],
  }
  const json = JSON.stringify(payload)
    .replaceAll('/', '\\/')
    .replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return signed('slack/interactions', new URLSearchParams({ payload: json }).toString(), options)
}

export function slashCommand(text: string, options: ClickOptions = {}): SlackRequest {
  const { user = 'U0OMAR', team = TEAM, app = APP, channel = REVIEW_CHANNEL } = options
  const fields = {
    token: 'deprecated',
    team_id: team,
    team_domain: 'zyx-bank',
    channel_id: channel,
    channel_name: 'devsecops-change-review',
    user_id: user,
    user_name: user.toLowerCase(),
    command: '/toolgate',
    text,
    api_app_id: app,
    is_enterprise_install: 'false',
    response_url: `https://hooks.slack.com/commands/${team}/1/2`,
    trigger_id: randomUUID(),
  }
  return signed('slack/commands', new URLSearchParams(fields).toString(), options)
}

/** The time as Slack signs it. */
export const nowSeconds = (): number => Math.floor(Date.now() / 1_000)

export function signed(
  path: SlackRequest['path'],
  body: string,
  { secret = SLACK_SECRET, timestamp = nowSeconds() }: SigningOptions = {},
): SlackRequest {
  const mac = createHmac('sha256', secret)
    .update(`v0:${String(timestamp)}:${body}`)
    .digest('hex')
  return {
    path,
    body,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
      'x-slack-request-timestamp': String(timestamp),
      'x-slack-signature': `v0=${mac}`,
    },
  }
}

function textsIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(textsIn)
  if (typeof value !== 'object' || value === null) return []
  const { text, elements } = value as { readonly text?: unknown; readonly elements?: unknown }
  return [...(typeof text === 'string' ? [text] : textsIn(text)), ...textsIn(elements)]
}
