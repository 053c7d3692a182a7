import type { Config, SecretReference } from './config.ts'
import type { DecisionLogConfig } from './decision-log-config.ts'
import { isSafeSource } from './loopback.ts'
import type { PolicyConfig, ServiceConfig } from './policy-config.ts'
import type { ConfigProblem } from './problem.ts'

type Reporting = Pick<PolicyConfig, 'decisionLog' | 'status'>

/** Each carries a credential, or stands for one. */
const CREDENTIAL_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'client-cert',
  'client-cert-chain',
  'cookie',
  'dpop',
  'proxy-authorization',
  'toolgate-approval',
  'x-forwarded-client-cert',
])

/** Services that this gateway reports to, by the path of their settings. */
function reportServices(policy: Reporting): readonly (readonly [string, ServiceConfig])[] {
  const { decisionLog, status } = policy
  return [
    ...(decisionLog === undefined ? [] : [['policy.decisionLog.service', decisionLog.service] as const]),
    ...(status === undefined ? [] : [['policy.status.service', status.service] as const]),
  ]
}

/** Settings of the decision log and the status reports that are fine alone and wrong together. */
export function reporting({ policy }: Config): ConfigProblem[] {
  return [
    ...reportServices(policy).flatMap(([path, service]) => serviceProblems(path, service)),
    ...(policy.decisionLog === undefined ? [] : decisionLogProblems(policy.decisionLog)),
  ]
}

/** What is wrong with how one service is reached. */
export function serviceProblems(path: string, service: Omit<ServiceConfig, 'token'>): ConfigProblem[] {
  const { url, clientCertificateFile, clientKeyFile } = service
  const problems: ConfigProblem[] = []
  if (!isSafeSource(url))
    problems.push({ path: `${path}.url`, reason: 'must be https (http only on loopback)' })
  if ((clientCertificateFile === undefined) !== (clientKeyFile === undefined)) {
    problems.push({ path: `${path}.clientKeyFile`, reason: 'and clientCertificateFile need each other' })
  }
  if (clientCertificateFile !== undefined && !url.startsWith('https:')) {
    problems.push({ path: `${path}.clientCertificateFile`, reason: 'is shown over https only' })
  }
  return problems
}

function decisionLogProblems(config: DecisionLogConfig): ConfigProblem[] {
  const { minDelayMs, maxDelayMs, maxDecisionsPerSecond, buffer, requestHeaders } = config
  const problems: ConfigProblem[] = []
  const refuse = (setting: string, reason: string): void => {
    problems.push({ path: `policy.decisionLog.${setting}`, reason })
  }
  if (minDelayMs > maxDelayMs) refuse('minDelayMs', 'must not be above maxDelayMs')
  if (maxDecisionsPerSecond !== undefined && buffer.onFull !== 'drop') {
    refuse('maxDecisionsPerSecond', `loses decisions, and buffer.onFull ${buffer.onFull} shall lose none`)
  }
  for (const [index, name] of requestHeaders.entries()) {
    if (CREDENTIAL_HEADERS.has(name.toLowerCase()))
      refuse(`requestHeaders.${index}`, `${name} carries a credential, which is never logged`)
  }
  return problems
}

/** What the services refer to outside the configuration, by the path of each setting. */
export function reportReferences(policy: Reporting): {
  readonly files: Readonly<Record<string, string | undefined>>
  readonly secrets: Readonly<Record<string, SecretReference | undefined>>
} {
  const services = reportServices(policy)
  const files = services.flatMap(([path, { caFile, clientCertificateFile, clientKeyFile }]) => [
    [`${path}.caFile`, caFile] as const,
    [`${path}.clientCertificateFile`, clientCertificateFile] as const,
    [`${path}.clientKeyFile`, clientKeyFile] as const,
  ])
  const secrets = services.map(([path, { token }]) => [`${path}.token`, token] as const)
  return { files: Object.fromEntries(files), secrets: Object.fromEntries(secrets) }
}
