import type { Redis } from 'ioredis'
import type { ApprovalId } from '../approvals/approval.ts'
import type { Clock } from '../lib/clock.ts'
import type { ApprovalStore } from './approval-store.ts'
import { createEmbeddedApprovalStore } from './embedded-approval-store.ts'
import type { ControlPlace } from './open-control.ts'
import { createRedisApprovalStore, WITNESS_MS } from './redis-approval-store.ts'

export interface OpenApprovalStoreOptions {
  readonly control: ControlPlace
  readonly clock: Pick<Clock, 'nowMs'>
  /** How long those are kept that are over. */
  readonly keptMs: number
  readonly onUnwitnessed: (id: ApprovalId) => void
  readonly onConnectionFailed: (cause: Error) => void
}

/** An answer that waited for replicas, with time to travel. */
const WITNESSED_TIMEOUT_MS = WITNESS_MS + 1_000

/** Approvals where the control state is kept; in Redis over connections of their own. */
export function openApprovalStore(options: OpenApprovalStoreOptions): ApprovalStore {
  const { control, clock, keptMs, onUnwitnessed, onConnectionFailed } = options
  if (control.kind === 'embedded') return createEmbeddedApprovalStore({ file: control.file, clock })
  const { keyPrefix, replicas } = control
  const connect = (more: Parameters<Redis['duplicate']>[0] = {}): Redis =>
    control.client.duplicate(more).on('error', onConnectionFailed)
  const connections = {
    client: connect(),
    witness: connect({ commandTimeout: WITNESSED_TIMEOUT_MS }),
    listener: connect(),
  }
  return createRedisApprovalStore({ ...connections, keyPrefix, replicas, keptMs, onUnwitnessed })
}
