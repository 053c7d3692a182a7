import type { Config, SecretReference } from './config.ts'
import type { WebhookConfig } from './export-config.ts'
import type { ConfigProblem } from './problem.ts'
import { obstacleTo, isWithin } from './places.ts'
import { serviceProblems } from './report-rules.ts'

const KINDS = ['file', 'webhook'] as const

/** Settings of exports that are fine alone and wrong together, and files that cannot be written. */
export function exporting({ audit }: Config): ConfigProblem[] {
  return Object.entries(audit.exports).flatMap(([name, config]) => {
    const path = `audit.exports.${name}`
    const problems: ConfigProblem[] = []
    if (KINDS.filter((kind) => config[kind] !== undefined).length !== 1)
      problems.push({ path, reason: `needs exactly one of ${KINDS.join(', ')}` })
    if (config.webhook !== undefined) problems.push(...serviceProblems(`${path}.webhook`, config.webhook))
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

/** What exports refer to outside the configuration, by the path of each setting. */
export function exportReferences({ audit }: Config): {
  readonly files: Readonly<Record<string, string | undefined>>
  readonly secrets: Readonly<Record<string, SecretReference | undefined>>
} {
  const webhooks = Object.entries(audit.exports).flatMap(([name, { webhook }]) =>
    webhook === undefined ? [] : [[`audit.exports.${name}.webhook`, webhook] as const],
  )
  const settings = <T>(names: (webhook: WebhookConfig) => Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(
      webhooks.flatMap(([path, webhook]) =>
        Object.entries(names(webhook)).map(([name, value]) => [`${path}.${name}`, value] as const),
      ),
    )
  return {
    files: settings(({ caFile, clientCertificateFile, clientKeyFile }) => ({
      caFile,
      clientCertificateFile,
      clientKeyFile,
    })),
    secrets: settings(({ token, signingSecret }) => ({ token, signingSecret })),
  }
}
