import { randomBytes } from 'node:crypto'
import type { AuditLog, AuditLogHealth, Durability } from '../../../gateway/audit/audit-log.ts'
import { decodeEntry, type AuditEntry } from '../../../gateway/audit/entry.ts'
import { createKeyedTokens } from '../../../gateway/audit/keyed-tokens.ts'
import { Recorder } from '../../../gateway/audit/recorder.ts'
import { GatewayFault } from '../../../gateway/fault.ts'
import { systemClock } from '../../../gateway/lib/clock.ts'

/** A log that keeps what it is given in memory, as it was given. */
export interface MemoryLog extends AuditLog {
  readonly appended: { readonly bytes: Buffer; readonly durability: Durability }[]
  health: () => AuditLogHealth
  failing: boolean
}

export function memoryLog(): MemoryLog {
  const appended: MemoryLog['appended'] = []
  return {
    epoch: 'e',
    appended,
    failing: false,
    async append(entry, durability) {
      if (this.failing) throw new GatewayFault('audit.unavailable', 'the audit log failed')
      appended.push({ bytes: Buffer.from(entry), durability })
      return { epoch: 'e', index: appended.length - 1 }
    },
    health: () => ({ state: 'open', queuedBytes: 0, detail: '' }),
    seal: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }
}

export function recorderOn(log: AuditLog, openCalls = new Set<string>()): Recorder {
  return new Recorder({
    log,
    tokens: createKeyedTokens(randomBytes(32), '2026-11'),
    clock: systemClock,
    durability: { read: 'flushed', write: 'strict' },
    openCalls,
  })
}

export const entries = (log: MemoryLog): (AuditEntry | undefined)[] =>
  log.appended.map(({ bytes }) => decodeEntry(bytes))
