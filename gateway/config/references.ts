import { accessSync, constants } from 'node:fs'
import type { Config, CredentialConfig, SecretReference } from './config.ts'
import type { ConfigProblem } from './problem.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Files that the configuration names and nobody can read. */
export function unreadable(config: Config): ConfigProblem[] {
  const files: [string, string | undefined][] = [
    ['listen.tls.certificateFile', config.listen.tls?.certificateFile],
    ['listen.tls.keyFile', config.listen.tls?.keyFile],
    ['listen.tls.clientCaFile', config.listen.tls?.clientCaFile],
    ['listen.tls.crlFile', config.listen.tls?.crlFile],
    ['listen.admin.token', fileOf(config.listen.admin.token)],
    ['policy.bundle', config.policy.bundle],
    ['policy.verification.keyFile', config.policy.verification?.keyFile],
    ['policy.service.token', fileOf(config.policy.service?.token)],
    ['policy.service.caFile', config.policy.service?.caFile],
    ['policy.service.clientCertificateFile', config.policy.service?.clientCertificateFile],
    ['policy.service.clientKeyFile', config.policy.service?.clientKeyFile],
    ['store.redis.password', fileOf(config.store.redis?.password)],
    ['store.redis.caFile', config.store.redis?.caFile],
    ['identity.dpop.nonceSecret', fileOf(config.identity.dpop.nonceSecret)],
    ...config.identity.issuers.map(({ jwks }, index): [string, string | undefined] => [
      `identity.issuers.${index}.jwks`,
      'file' in jwks ? jwks.file : jwks.caFile,
    ]),
    ...Object.entries(config.connectors).map(([name, { caFile }]): [string, string | undefined] => [
      `connectors.${name}.caFile`,
      caFile,
    ]),
  ]
  return files.flatMap(([path, file]) =>
    file === undefined || isReadable(file) ? [] : [{ path, reason: `${file} cannot be read` }],
  )
}

/** A variable cannot appear later, as a file can: one that is not set is a mistake now. */
export function unset(
  { listen, policy, store, identity, connectors }: Config,
  environment: Environment,
): ConfigProblem[] {
  const references: [string, SecretReference | undefined][] = [
    ['listen.admin.token', listen.admin.token],
    ['policy.service.token', policy.service?.token],
    ['store.redis.password', store.redis?.password],
    ['identity.dpop.nonceSecret', identity.dpop.nonceSecret],
    ...Object.entries(connectors).map(([name, { credential }]): [string, SecretReference | undefined] => [
      `connectors.${name}.credential`,
      secretOf(credential),
    ]),
  ]
  return references.flatMap(([path, reference]) => {
    const isUnset = reference?.source === 'env' && (environment[reference.name] ?? '') === ''
    return isUnset ? [{ path, reason: `the variable ${reference.name} is not set` }] : []
  })
}

function secretOf(credential: CredentialConfig): SecretReference | undefined {
  switch (credential.type) {
    case 'bearer':
      return credential.token
    case 'basic':
      return credential.password
    case 'header':
      return credential.value
    case 'none':
      return undefined
  }
}

function fileOf(reference: SecretReference | undefined): string | undefined {
  return reference?.source === 'file' ? reference.name : undefined
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}
