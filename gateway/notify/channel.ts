import type { ChannelAnswer } from '../control/control.ts'

/** Why a message of a channel is not taken, before it is known what it wants. */
const REFUSALS = {
  unconfigured: [404, 'No such channel'],
  unsigned: [401, 'The signature cannot be read'],
  forged: [401, 'The signature is not valid'],
  stale: [401, 'The message is too old'],
  future: [401, 'The message is from a time to come'],
  unreadable: [400, 'The message cannot be read'],
  foreign: [403, 'The message is from elsewhere'],
  replayed: [409, 'The message was taken before'],
  unavailable: [503, 'It cannot be known whether the message was taken before'],
} as const satisfies Readonly<Record<string, readonly [status: number, title: string]>>
export type ChannelRefusal = keyof typeof REFUSALS

/** What became of one message: refused as such, or what it wanted was done or not. */
export const CHANNEL_RESULTS = [
  ...(Object.keys(REFUSALS) as readonly ChannelRefusal[]),
  'counted',
  'repeated',
  'not_entitled',
  'excluded',
  'stale_view',
  'final',
  'unknown_approval',
  'done',
  'refused',
] as const
export type ChannelResult = (typeof CHANNEL_RESULTS)[number]

export function channelAnswer(status: number, body: object): ChannelAnswer {
  return { status, contentType: 'application/json', body: JSON.stringify(body) }
}

/** RFC 9457. */
export function problemAnswer(
  status: number,
  title: string,
  details: { readonly code: string; readonly [member: string]: string },
): ChannelAnswer {
  const body = JSON.stringify({ type: 'about:blank', title, status, ...details })
  return { status, contentType: 'application/problem+json', body }
}

export function refusalAnswer(why: ChannelRefusal): ChannelAnswer {
  const [status, title] = REFUSALS[why]
  return problemAnswer(status, title, { code: `channel.${why}` })
}
