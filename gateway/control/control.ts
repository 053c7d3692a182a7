import type { Actor } from './actor.ts'

/**
 * One request to the admin listener that changes or shows what people decide: approvals, locks. All of it can travel
 * between processes, because the listener is in the primary and the parts are in the workers.
 */
export interface ControlRequest {
  readonly method: 'GET' | 'POST' | 'DELETE'
  /** Path below `/admin/v1/`, such as `locks/01a2…`. */
  readonly path: string
  readonly query: string
  readonly body: unknown
  readonly actor: Actor
}

export interface ControlAnswer {
  readonly status: number
  /** Sent as JSON; a problem (RFC 9457) where the status is 400 or more. */
  readonly body: unknown
}

/** One thing that can be asked; `pattern` is a path whose `{name}` segments become parameters. */
export interface ControlRoute {
  readonly method: ControlRequest['method']
  readonly pattern: string
  answer(
    request: ControlRequest,
    parameters: Readonly<Record<string, string>>,
  ): ControlAnswer | Promise<ControlAnswer>
}
