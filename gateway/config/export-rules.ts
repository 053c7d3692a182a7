import type { Config, SecretReference } from './config.ts'
import type { SyslogConfig } from './export-config.ts'
import type { ConfigProblem } from './problem.ts'
import { obstacleTo, isWithin } from './places.ts'
import { isLoopback } from './loopback.ts'
import { serviceProblems } from './report-rules.ts'

const KINDS = ['file', 'webhook', 'syslog', 's3'] as const

/** Settings of exports that are fine alone and wrong together, and files that cannot be written. */
export function exporting({ audit }: Config): ConfigProblem[] {
  return Object.entries(audit.exports).flatMap(([name, config]) => {
    const path = `audit.exports.${name}`
    const problems: ConfigProblem[] = []
    if (KINDS.filter((kind) => config[kind] !== undefined).length !== 1)
      problems.push({ path, reason: `needs exactly one of ${KINDS.join(', ')}` })
    if (config.webhook !== undefined) problems.push(...serviceProblems(`${path}.webhook`, config.webhook))
    if (config.s3 !== undefined) problems.push(...serviceProblems(`${path}.s3`, config.s3))
    if (config.syslog !== undefined) problems.push(...syslogProblems(`${path}.syslog`, config.syslog))
    if (config.file === undefined) return problems
    const reason = isWithin(config.file, audit.directory)
      ? 'lies in audit.directory'
      : obstacleTo(config.file, 'file')
    if (reason !== undefined) problems.push({ path: `${path}.file`, reason })
    const sharing = Object.entries(audit.exports).find(
      ([other, { file }]) => other < name && file === config.file,
    )
    if (sharing !== undefined)
      problems.push({ path: `${path}.file`, reason: `is also that of audit.exports.${sharing[0]}` })
    return problems
  })
}

function syslogProblems(path: string, config: SyslogConfig): ConfigProblem[] {
  const { host, tls, clientCertificateFile, clientKeyFile } = config
  const problems: ConfigProblem[] = []
  if (!tls && !isLoopback(host)) problems.push({ path: `${path}.tls`, reason: 'is off on loopback only' })
  if ((clientCertificateFile === undefined) !== (clientKeyFile === undefined))
    problems.push({ path: `${path}.clientKeyFile`, reason: 'and clientCertificateFile need each other' })
  return problems
}

/** What exports refer to outside the configuration, by the path of each setting. */
export function exportReferences({ audit }: Config): {
  readonly files: Readonly<Record<string, string | undefined>>
  readonly secrets: Readonly<Record<string, SecretReference | undefined>>
} {
  const named = Object.entries(audit.exports).map(([name, one]) => [`audit.exports.${name}`, one] as const)
  const files = named.flatMap(([path, { webhook, syslog, s3 }]) =>
    Object.entries({ webhook, syslog, s3 }).flatMap(([kind, reached]) => [
      [`${path}.${kind}.caFile`, reached?.caFile] as const,
      [`${path}.${kind}.clientCertificateFile`, reached?.clientCertificateFile] as const,
      [`${path}.${kind}.clientKeyFile`, reached?.clientKeyFile] as const,
    ]),
  )
  const secrets = named.flatMap(([path, { webhook, s3 }]) => [
    [`${path}.webhook.token`, webhook?.token] as const,
    [`${path}.webhook.signingSecret`, webhook?.signingSecret] as const,
    [`${path}.s3.accessKeyId`, s3?.accessKeyId] as const,
    [`${path}.s3.secretAccessKey`, s3?.secretAccessKey] as const,
  ])
  return { files: Object.fromEntries(files), secrets: Object.fromEntries(secrets) }
}
