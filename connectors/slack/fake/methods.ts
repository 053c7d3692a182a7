import type { FakeReply } from '../../fake-route.ts'
import { cursorPage, slackError, slackOk } from './arguments.ts'
import type { SlackArguments } from './arguments.ts'
import { CHAT_METHODS, findChannel, messageShape } from './chat.ts'
import { FILE_METHODS } from './files.ts'
import type { SlackChannel, SlackUser, SlackWorld } from './world.ts'

export type SlackMethod = (world: SlackWorld, input: SlackArguments) => FakeReply

const WORKSPACE_METHODS: readonly (readonly [string, SlackMethod])[] = [
  [
    'api.test',
    (_, input) => (input.text('error') === undefined ? slackOk() : slackError(input.text('error') ?? '')),
  ],
  [
    'auth.test',
    (world) =>
      slackOk({
        url: 'https://zyx-bank.slack.com/',
        team: 'ZYX Bank',
        user: 'toolgate',
        team_id: world.teamId,
        user_id: world.botUserId,
        bot_id: 'B0TOOLGATE',
        is_enterprise_install: false,
      }),
  ],
  ['team.info', (world) => slackOk({ team: { id: world.teamId, name: 'ZYX Bank', domain: 'zyx-bank' } })],
  ['users.info', (world, input) => withUser(world.users.get(input.text('user') ?? ''), 'user_not_found')],
  [
    'users.lookupByEmail',
    (world, input) =>
      withUser(
        [...world.users.values()].find(({ email }) => email === input.text('email')),
        'users_not_found',
      ),
  ],
  [
    'users.list',
    (world, input) => {
      const found = cursorPage([...world.users.values()], input)
      return found === undefined
        ? slackError('invalid_cursor')
        : slackOk({ members: found.page.map(userShape), response_metadata: { next_cursor: found.next } })
    },
  ],
  [
    'conversations.list',
    (world, input) => {
      const excluded = input.text('exclude_archived') === 'true'
      const found = cursorPage(
        [...world.channels.values()].filter((channel) => !excluded || !channel.archived),
        input,
      )
      return found === undefined
        ? slackError('invalid_cursor')
        : slackOk({ channels: found.page.map(channelShape), response_metadata: { next_cursor: found.next } })
    },
  ],
  [
    'conversations.info',
    (world, input) => withChannel(world, input, (channel) => slackOk({ channel: channelShape(channel) })),
  ],
  [
    'conversations.join',
    (world, input) =>
      withChannel(world, input, (channel) => {
        if (channel.archived) return slackError('is_archived')
        channel.member = true
        return slackOk({ channel: channelShape(channel) })
      }),
  ],
  [
    'conversations.members',
    (world, input) =>
      withChannel(world, input, (channel) =>
        slackOk({ members: channel.member ? [world.botUserId] : [], response_metadata: { next_cursor: '' } }),
      ),
  ],
  [
    'conversations.history',
    (world, input) =>
      withChannel(world, input, (channel) => {
        if (!channel.member) return slackError('not_in_channel')
        const newestFirst = channel.messages.filter(({ threadTs }) => threadTs === undefined).toReversed()
        const found = cursorPage(newestFirst, input)
        if (found === undefined) return slackError('invalid_cursor')
        return slackOk({
          messages: found.page.map((message) => messageShape(world, message)),
          has_more: found.next !== '',
          pin_count: 0,
          response_metadata: { next_cursor: found.next },
        })
      }),
  ],
  [
    'conversations.replies',
    (world, input) =>
      withChannel(world, input, (channel) => {
        const thread = channel.messages.filter(
          ({ ts, threadTs }) => ts === input.text('ts') || threadTs === input.text('ts'),
        )
        return thread.length === 0
          ? slackError('thread_not_found')
          : slackOk({ messages: thread.map((message) => messageShape(world, message)), has_more: false })
      }),
  ],
  [
    'conversations.archive',
    (world, input) =>
      withChannel(world, input, (channel) => {
        if (channel.archived) return slackError('already_archived')
        if (channel.name === 'general') return slackError('cant_archive_general')
        channel.archived = true
        return slackOk()
      }),
  ],
]

/** Every Web API method that the fake knows; the others are `unknown_method`. */
export const SLACK_METHODS: ReadonlyMap<string, SlackMethod> = new Map([
  ...WORKSPACE_METHODS,
  ...CHAT_METHODS,
  ...FILE_METHODS,
])

function withChannel(
  world: SlackWorld,
  input: SlackArguments,
  handle: (channel: SlackChannel) => FakeReply,
): FakeReply {
  // Unlike chat.postMessage, conversations.* take ids only.
  const channel = world.channels.get(input.text('channel') ?? '')
  return channel === undefined || findChannel(world, channel.id) === undefined
    ? slackError('channel_not_found')
    : handle(channel)
}

function withUser(user: SlackUser | undefined, error: string): FakeReply {
  return user === undefined ? slackError(error) : slackOk({ user: userShape(user) })
}

function userShape(user: SlackUser): object {
  return {
    id: user.id,
    team_id: 'T0ZYXBANK',
    name: user.name,
    deleted: false,
    is_bot: user.id === 'U0TOOLGATE',
    profile: { email: user.email, display_name: user.name },
  }
}

function channelShape(channel: SlackChannel): object {
  return {
    id: channel.id,
    name: channel.name,
    is_channel: true,
    is_private: false,
    is_archived: channel.archived,
    is_general: channel.name === 'general',
    is_member: channel.member,
    context_team_id: 'T0ZYXBANK',
    num_members: channel.member ? 1 : 0,
  }
}
