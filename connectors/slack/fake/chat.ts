import type { FakeReply } from '../../fake-route.ts'
import { slackError, slackOk } from './arguments.ts'
import type { SlackArguments } from './arguments.ts'
import { blocksError } from './blocks.ts'
import type { SlackMethod } from './methods.ts'
import type { SlackChannel, SlackMessage, SlackWorld } from './world.ts'

const TEXT_LIMIT = 40_000

/** `chat.*` and `reactions.*`: messages are kept and can be read back. */
export const CHAT_METHODS: ReadonlyMap<string, SlackMethod> = new Map<string, SlackMethod>([
  ['chat.postMessage', postMessage],
  [
    'chat.postEphemeral',
    (world, input) =>
      inChannel(world, input, (channel) => {
        const user = input.text('user')
        if (user === undefined || !world.users.has(user)) return slackError('user_not_in_channel')
        const wrong = contentError(input)
        if (wrong !== undefined) return wrong
        channel.ephemerals.push({ user, text: input.text('text') ?? '' })
        return slackOk({ message_ts: world.nextTs() })
      }),
  ],
  [
    'chat.update',
    (world, input) =>
      withMessage(world, input, (channel, message) => {
        const wrong = contentError(input)
        if (wrong !== undefined) return wrong
        message.text = input.text('text') ?? ''
        message.blocks = input.json('blocks')
        return slackOk({
          channel: channel.id,
          ts: message.ts,
          text: message.text,
          message: messageShape(world, message),
        })
      }),
  ],
  [
    'chat.delete',
    (world, input) =>
      withMessage(world, input, (channel, message) => {
        channel.messages.splice(channel.messages.indexOf(message), 1)
        return slackOk({ channel: channel.id, ts: message.ts })
      }),
  ],
  [
    'chat.getPermalink',
    (world, input) =>
      withMessage(
        world,
        input,
        (channel, message) =>
          slackOk({
            channel: channel.id,
            permalink: `https://zyx-bank.slack.com/archives/${channel.id}/p${message.ts.replace('.', '')}`,
          }),
        'message_ts',
      ),
  ],
  [
    'reactions.add',
    (world, input) =>
      withMessage(
        world,
        input,
        (_, message) => {
          const name = input.text('name')
          if (name === undefined) return slackError('no_reaction')
          const users = message.reactions.get(name) ?? new Set()
          if (users.has(world.botUserId)) return slackError('already_reacted')
          message.reactions.set(name, users.add(world.botUserId))
          return slackOk()
        },
        'timestamp',
      ),
  ],
  [
    'reactions.remove',
    (world, input) =>
      withMessage(
        world,
        input,
        (_, message) =>
          message.reactions.get(input.text('name') ?? '')?.delete(world.botUserId) === true
            ? slackOk()
            : slackError('no_reaction'),
        'timestamp',
      ),
  ],
])

export function messageShape(world: SlackWorld, message: SlackMessage): object {
  return {
    type: 'message',
    user: world.botUserId,
    bot_id: 'B0TOOLGATE',
    app_id: 'A0TOOLGATE',
    team: world.teamId,
    ts: message.ts,
    text: message.text,
    ...(message.blocks === undefined ? {} : { blocks: message.blocks }),
    ...(message.threadTs === undefined ? {} : { thread_ts: message.threadTs }),
    ...(message.reactions.size === 0
      ? {}
      : {
          reactions: [...message.reactions].map(([name, users]) => ({
            name,
            users: [...users],
            count: users.size,
          })),
        }),
  }
}

/** A channel by id, or by name with or without `#`, as `chat.postMessage` takes it. */
export function findChannel(world: SlackWorld, named: string | undefined): SlackChannel | undefined {
  const name = named?.replace(/^#/, '')
  return (
    world.channels.get(named ?? '') ?? [...world.channels.values()].find((channel) => channel.name === name)
  )
}

function inChannel(
  world: SlackWorld,
  input: SlackArguments,
  handle: (channel: SlackChannel) => FakeReply,
): FakeReply {
  const channel = findChannel(world, input.text('channel'))
  if (channel === undefined) return slackError('channel_not_found')
  if (channel.archived) return slackError('is_archived')
  return channel.member ? handle(channel) : slackError('not_in_channel')
}

function withMessage(
  world: SlackWorld,
  input: SlackArguments,
  handle: (channel: SlackChannel, message: SlackMessage) => FakeReply,
  tsName = 'ts',
): FakeReply {
  const channel = world.channels.get(input.text('channel') ?? '')
  if (channel === undefined) return slackError('channel_not_found')
  const message = channel.messages.find(({ ts }) => ts === input.text(tsName))
  return message === undefined ? slackError('message_not_found') : handle(channel, message)
}

function postMessage(world: SlackWorld, input: SlackArguments): FakeReply {
  return inChannel(world, input, (channel) => {
    const wrong = contentError(input)
    if (wrong !== undefined) return wrong
    const threadTs = input.text('thread_ts')
    if (threadTs !== undefined && !channel.messages.some(({ ts }) => ts === threadTs))
      return slackError('thread_not_found')
    const message: SlackMessage = {
      ts: world.nextTs(),
      text: input.text('text') ?? '',
      blocks: input.json('blocks'),
      threadTs,
      reactions: new Map(),
      edited: false,
    }
    channel.messages.push(message)
    return slackOk({ channel: channel.id, ts: message.ts, message: messageShape(world, message) })
  })
}

function contentError(input: SlackArguments): FakeReply | undefined {
  const text = input.text('text') ?? ''
  const blocks = input.json('blocks')
  if (input.text('blocks') !== undefined && blocks === undefined) return slackError('invalid_blocks_format')
  if (text === '' && blocks === undefined && input.json('attachments') === undefined)
    return slackError('no_text')
  if (text.length > TEXT_LIMIT) return slackError('msg_too_long')
  const wrong = blocks === undefined ? undefined : blocksError(blocks)
  return wrong === undefined ? undefined : slackError(wrong)
}
