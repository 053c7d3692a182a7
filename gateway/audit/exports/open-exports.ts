import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { SecretReference } from '../../config/config.ts'
import type { AuditConfig } from '../../config/audit-config.ts'
import type { ExportConfig } from '../../config/export-config.ts'
import { createSecretReader } from '../../config/secret.ts'
import type { Clock } from '../../lib/clock.ts'
import { lockDirectory, type DirectoryLock } from '../../lib/directory-lock.ts'
import type { ExportMetrics, ExportState } from '../../telemetry/export-metrics.ts'
import { CorruptLog } from '../corrupt-log.ts'
import { EXPORTS_FOLDER } from './cursors.ts'
import { Exporter } from './exporter.ts'
import { createEventLine } from './event-lines.ts'
import { createFileTarget } from './file-target.ts'
import { createS3Target } from './s3-target.ts'
import { createSyslogTarget } from './syslog-target.ts'
import type { ExportTarget } from './target.ts'
import { createWebhookTarget } from './webhook-target.ts'

const LOCK_RETRY_MS = 5_000
const IDLE_MS = 250

export interface ExportsOptions {
  readonly config: AuditConfig
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly metrics: ExportMetrics
  /** Told once, until it works again. */
  readonly onFailed: (name: string, cause: unknown) => void
  readonly onRecovered: (name: string) => void
}

export interface Exports extends AsyncDisposable {
  /** One for each configured export. */
  states(): readonly ExportState[]
}

/**
 * Runs the configured exports, in one process of those that share an audit directory: the others wait for their turn.
 * What cannot be exported now never keeps anything from starting.
 */
export function openExports(options: ExportsOptions): Exports {
  const { config, metrics } = options
  const configured = Object.entries(config.exports)
  const exporters = new Map<string, Exporter>()
  let lock: DirectoryLock | undefined
  for (const [name] of configured) metrics.open(name)
  const start = (): void => {
    if (lock !== undefined || configured.length === 0) return
    try {
      lock = takeLock(config.directory)
    } catch (cause) {
      for (const [name] of configured) options.onFailed(name, cause)
    }
    if (lock === undefined) return
    clearInterval(retry)
    for (const [name, one] of configured) exporters.set(name, openExporter(name, one, options))
  }
  const retry = setInterval(start, LOCK_RETRY_MS).unref()
  start()
  if (configured.length === 0) clearInterval(retry)
  return {
    states: () =>
      [...exporters].map(([name, exporter]) => {
        const { entries, seconds } = exporter.lag()
        return { name, lagEntries: entries, lagSeconds: seconds }
      }),
    async [Symbol.asyncDispose]() {
      clearInterval(retry)
      await Promise.all([...exporters.values()].map((exporter) => exporter[Symbol.asyncDispose]()))
      lock?.release()
    },
  }
}

function takeLock(auditDirectory: string): DirectoryLock | undefined {
  const folder = join(auditDirectory, EXPORTS_FOLDER)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return lockDirectory(folder)
}

function openExporter(name: string, exported: ExportConfig, options: ExportsOptions): Exporter {
  const { config, clock, metrics, onFailed, onRecovered } = options
  let failing = false
  return new Exporter({
    name,
    auditDirectory: config.directory,
    deployment: config.deployment,
    batchEntries: exported.batchEntries,
    lineOf: createEventLine(exported.format),
    idleMs: exported.s3?.gatherMs ?? IDLE_MS,
    target: targetOf(exported, options),
    clock,
    onEvent(event) {
      switch (event.type) {
        case 'delivered':
          return metrics.delivered(name, event.entries)
        case 'failed':
          metrics.failed(name, event.cause instanceof CorruptLog ? 'record' : 'target')
          if (!failing || event.cause instanceof CorruptLog) onFailed(name, event.cause)
          failing = true
          return
        case 'recovered':
          failing = false
          return onRecovered(name)
      }
    },
  })
}

function targetOf(
  { file, webhook, syslog, s3 }: ExportConfig,
  { environment, clock }: ExportsOptions,
): ExportTarget {
  const secret = (reference: SecretReference | undefined): (() => string) | undefined =>
    reference && (() => createSecretReader(environment)(reference))
  if (file !== undefined) return createFileTarget(file)
  if (s3 !== undefined) {
    const read = createSecretReader(environment)
    return createS3Target({
      config: s3,
      accessKeyId: () => read(s3.accessKeyId),
      secretAccessKey: () => read(s3.secretAccessKey),
      clock,
    })
  }
  if (syslog !== undefined) return createSyslogTarget(syslog)
  if (webhook === undefined) throw new TypeError('an export without a target')
  const { token, signingSecret } = webhook
  return createWebhookTarget({
    config: webhook,
    token: secret(token),
    signingSecret: secret(signingSecret),
    clock,
  })
}
