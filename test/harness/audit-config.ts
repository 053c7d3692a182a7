import { join } from 'node:path'
import type { AuditConfig } from '../../gateway/config/audit-config.ts'

/**
 * Settings of an audit log in this directory; small segments, a deployment of its own, and the disclosures
 * under it, where no node of the log is.
 */
export function auditConfig(directory: string, more: Partial<AuditConfig> = {}): AuditConfig {
  return {
    directory,
    durability: { read: 'flushed', write: 'strict' },
    segmentLimitBytes: 1_000_000,
    deployment: 'gateway.example',
    signingKeyFile: undefined,
    checkpointIntervalMs: 1_000,
    idleCheckpointIntervalMs: 60_000,
    retentionDays: 2_190,
    disclosures: {
      enabled: true,
      directory: join(directory, '.disclosures'),
      keyFile: join(directory, '.disclosures.key'),
      retentionDays: 400,
    },
    exports: {},
    witnesses: undefined,
    ...more,
  }
}
