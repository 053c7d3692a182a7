export interface SlackMessage {
  readonly ts: string
  text: string
  blocks: unknown
  readonly threadTs: string | undefined
  readonly reactions: Map<string, Set<string>>
  readonly edited: boolean
}

export interface SlackChannel {
  readonly id: string
  readonly name: string
  /** Whether the app is in it; it can only post where it is. */
  member: boolean
  archived: boolean
  readonly messages: SlackMessage[]
  /** What single users were told in it, and nobody else sees. */
  readonly ephemerals: { readonly user: string; readonly text: string }[]
}

export interface SlackUser {
  readonly id: string
  readonly name: string
  readonly email: string
}

export interface SlackFile {
  readonly id: string
  readonly name: string
  readonly announcedBytes: number
  bytes: Buffer | undefined
  completed: boolean
}

export interface SlackWorld {
  readonly teamId: string
  readonly botUserId: string
  readonly channels: Map<string, SlackChannel>
  readonly users: Map<string, SlackUser>
  readonly files: Map<string, SlackFile>
  /** A message time, unique and rising within the workspace. */
  readonly nextTs: () => string
}

/** The state every Slack fake starts with: the workspace of ZYX Bank with the review channel and others. */
export function createSlackWorld(): SlackWorld {
  let sequence = 0
  const channels = new Map<string, SlackChannel>()
  const add = (id: string, name: string, more: Partial<SlackChannel> = {}): void => {
    channels.set(id, { id, name, member: true, archived: false, messages: [], ephemerals: [], ...more })
  }
  add('C0CHANGEREV', 'devsecops-change-review')
  add('C0GENERAL', 'general')
  add('C0EXECS', 'executives', { member: false })
  add('C0OLD', 'migration-2025', { archived: true })
  for (let number = 1; number <= 12; number += 1) {
    add(`C0TEAM${String(number).padStart(3, '0')}`, `team-${number}`)
  }
  return {
    teamId: 'T0ZYXBANK',
    botUserId: 'U0TOOLGATE',
    channels,
    users: new Map([
      ['U0TOOLGATE', { id: 'U0TOOLGATE', name: 'toolgate', email: 'toolgate@zyx.example' }],
      ['U0DANA', { id: 'U0DANA', name: 'dana', email: 'dana@zyx.example' }],
    ]),
    files: new Map(),
    nextTs: () => `${Math.floor(Date.now() / 1000)}.${String((sequence += 1)).padStart(6, '0')}`,
  }
}
