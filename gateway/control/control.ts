import type { Actor } from './actor.ts'

/**
 * One request to the admin listener that changes or shows what people decide: approvals, locks. All of it can travel
 * between processes, because the listener is in the primary and the parts are in the workers.
 */
export interface ControlRequest {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Path below `/admin/v1/` as it came, such as `locks/01a2…`. */
  readonly path: string
  /** As it came, without `?`; empty when there is none. */
  readonly query: string
  /** JSON that reads in one way only, 64 KiB at most; `undefined` where none was sent. */
  readonly body: unknown
  readonly actor: Actor
}

export interface ControlAnswer {
  readonly status: number
  /** Sent as JSON; a problem (RFC 9457) where the status is 400 or more. */
  readonly body: unknown
  readonly headers?: Readonly<Partial<Record<'Allow' | 'Location' | 'Retry-After', string>>>
}

/** One thing that can be asked; `pattern` is a path whose `{name}` segments become parameters, decoded. */
export interface ControlRoute {
  readonly method: ControlRequest['method']
  readonly pattern: string
  answer(
    request: ControlRequest,
    parameters: Readonly<Record<string, string>>,
  ): ControlAnswer | Promise<ControlAnswer>
}

/**
 * Something that a channel, such as Slack, posts to `/channels/…`. Nobody is known yet: the channel signs the bytes, so
 * they come as they were sent, and its handler verifies them before it believes any of them.
 */
export interface ChannelRequest {
  /** Path below `/channels/`, such as `slack/interactions`. */
  readonly path: string
  /** Flat name, value list as received. */
  readonly untrustedHeaders: readonly string[]
  /** The exact bytes, 64 KiB at most, in base64. */
  readonly untrustedBodyBase64: string
}

export interface ChannelAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

export interface ChannelRoute {
  readonly path: string
  answer(request: ChannelRequest): ChannelAnswer | Promise<ChannelAnswer>
}

/** Whoever answers both: a gateway by itself, or a fleet through one of its workers. */
export interface ControlPlane {
  control(request: ControlRequest): Promise<ControlAnswer>
  channel(request: ChannelRequest): Promise<ChannelAnswer>
}
