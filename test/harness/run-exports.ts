import { Registry } from 'prom-client'
import { openExports, type Exports } from '../../gateway/audit/exports/open-exports.ts'
import { readEntries } from '../../gateway/audit/read-entries.ts'
import type { AuditConfig } from '../../gateway/config/audit-config.ts'
import type { ExportConfig, WebhookConfig } from '../../gateway/config/export-config.ts'
import { systemClock } from '../../gateway/lib/clock.ts'
import { registerExports } from '../../gateway/telemetry/export-metrics.ts'

export interface RunningExports extends Exports {
  /** Names of exports that said that they failed, and that they work again with a `+` before. */
  readonly told: readonly string[]
  metrics(): Promise<string>
}

export function runExports(
  config: AuditConfig,
  environment: Readonly<Record<string, string>> = {},
): RunningExports {
  const registry = new Registry()
  const told: string[] = []
  const exports = openExports({
    config,
    environment,
    clock: systemClock,
    metrics: registerExports(registry, () => exports.states()),
    onFailed: (name) => void told.push(name),
    onRecovered: (name) => void told.push(`+${name}`),
  })
  return { ...exports, told, metrics: () => registry.metrics() }
}

export function fileExport(file: string, more: Partial<ExportConfig> = {}): ExportConfig {
  return {
    format: 'entry',
    batchEntries: 500,
    file,
    webhook: undefined,
    syslog: undefined,
    s3: undefined,
    ...more,
  }
}

export function webhookExport(
  url: string,
  more: Partial<ExportConfig> = {},
  webhook: Partial<WebhookConfig> = {},
): ExportConfig {
  return {
    format: 'entry',
    batchEntries: 500,
    file: undefined,
    syslog: undefined,
    s3: undefined,
    webhook: {
      url,
      resource: 'audit',
      timeoutMs: 5_000,
      token: undefined,
      signingSecret: undefined,
      clientCertificateFile: undefined,
      clientKeyFile: undefined,
      caFile: undefined,
      ...webhook,
    },
    ...more,
  }
}

/** Ids of all entries of a record, log by log. */
export async function recordedIds({ directory, deployment }: AuditConfig): Promise<Map<string, string[]>> {
  const ids = new Map<string, string[]>()
  for await (const { node, epoch, index } of readEntries(directory)) {
    const origin = `${deployment}/${node}/${epoch}`
    ids.set(origin, [...(ids.get(origin) ?? []), `${origin}:${String(index)}`])
  }
  return ids
}

/** The same ids by log, each as it came first. */
export function byLog(ids: readonly string[]): Map<string, string[]> {
  const logs = new Map<string, string[]>()
  for (const id of new Set(ids)) {
    const origin = id.slice(0, id.lastIndexOf(':'))
    logs.set(origin, [...(logs.get(origin) ?? []), id])
  }
  return logs
}
