import type { AuditConfig } from '../../gateway/config/config.ts'

/** Settings of an audit log in this directory; small segments, and a deployment of its own. */
export function auditConfig(directory: string, more: Partial<AuditConfig> = {}): AuditConfig {
  return {
    directory,
    durability: { read: 'flushed', write: 'strict' },
    segmentLimitBytes: 1_000_000,
    deployment: 'gateway.example',
    signingKeyFile: undefined,
    checkpointIntervalMs: 1_000,
    idleCheckpointIntervalMs: 60_000,
    ...more,
  }
}
