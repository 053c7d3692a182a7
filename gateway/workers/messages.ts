import type { Readiness } from '../admin/admin.ts'
import type { PeopleConfig } from '../config/admin-config.ts'
import type { ChannelAnswer, ChannelRequest, ControlAnswer, ControlRequest } from '../control/control.ts'

/** What a worker tells the primary. */
export type FromWorker =
  | { readonly kind: 'started' }
  | { readonly kind: 'report'; readonly request: number; readonly report: WorkerReport }
  /** Who is known at the admin listener by the configuration in force, after a reload that may have been refused. */
  | { readonly kind: 'reloaded'; readonly people: PeopleConfig }
  | { readonly kind: 'answer'; readonly request: number; readonly answer: ControlAnswer | ChannelAnswer }

/** What the primary asks of a worker. */
export type ToWorker =
  | { readonly kind: 'report'; readonly request: number; readonly want: 'state' | 'metrics' }
  | { readonly kind: 'control'; readonly request: number; readonly asked: ControlRequest }
  | { readonly kind: 'channel'; readonly request: number; readonly asked: ChannelRequest }
  | { readonly kind: 'reload' }
  | { readonly kind: 'drain' }

export interface WorkerReport {
  readonly readiness: Readiness
  readonly notes: Readiness
  readonly status: unknown
  readonly config: unknown
  /** prom-client's JSON form; empty unless metrics were wanted. */
  readonly metrics: readonly object[]
}

export function isFromWorker(message: unknown): message is FromWorker {
  return hasKind(message) && ['started', 'report', 'reloaded', 'answer'].includes(String(message.kind))
}

export function isToWorker(message: unknown): message is ToWorker {
  return (
    hasKind(message) && ['report', 'control', 'channel', 'reload', 'drain'].includes(String(message.kind))
  )
}

function hasKind(message: unknown): message is { readonly kind: unknown } {
  return typeof message === 'object' && message !== null && 'kind' in message
}
