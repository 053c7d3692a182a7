import { Counter, type Registry } from 'prom-client'
import { printable } from '../lib/scrub.ts'
import { CHANNEL_RESULTS, type ChannelResult } from '../notify/channel.ts'
import { causeFields } from './call-line.ts'
import type { Log } from './log.ts'

/** Channels that people answer through, beside the admin listener. */
const CHANNELS = ['slack', 'webhook'] as const
type ChannelName = (typeof CHANNELS)[number]

const DONE: ReadonlySet<ChannelResult> = new Set(['counted', 'repeated', 'done'])
/** Anybody can send these, as often as they like: they are counted, and not written down one by one. */
const ANYBODYS: ReadonlySet<ChannelResult> = new Set(['unsigned', 'forged', 'unreadable', 'unconfigured'])

export type ChannelEvents = ReturnType<typeof createChannelEvents>

/** What the channels count and say. */
export function createChannelEvents(log: Log, registry: Registry) {
  const messages = new Counter({
    name: 'toolgate_channel_messages_total',
    help: 'Messages of people through a channel, by what became of them.',
    labelNames: ['channel', 'result'],
    registers: [registry],
  })
  for (const channel of CHANNELS) for (const result of CHANNEL_RESULTS) messages.inc({ channel, result }, 0)
  return {
    /** `sender` as the channel names them; empty where nobody vouches for one. */
    channelMessage(channel: ChannelName, result: ChannelResult, sender: string): void {
      messages.inc({ channel, result })
      if (DONE.has(result) || (ANYBODYS.has(result) && sender === '')) return
      log.write('warn', 'channel.refused', { channel, result, principal: printable(sender, 256) })
    },
    channelFailed(channel: ChannelName, cause: unknown): void {
      log.write('error', 'channel.failed', { channel, ...causeFields(cause) })
    },
  }
}
