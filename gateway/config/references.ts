import { accessSync, constants } from 'node:fs'
import { bundlesOf } from './bundle-rules.ts'
import type { Config, CredentialConfig, IssuerConfig, SecretReference, TlsConfig } from './config.ts'
import { exportReferences } from './export-rules.ts'
import { notifyReferences } from './notify-rules.ts'
import type { BundleConfig } from './policy-config.ts'
import type { ConfigProblem } from './problem.ts'
import { reportReferences } from './report-rules.ts'
import { witnessFiles } from './witness-rules.ts'

export type Environment = Readonly<Record<string, string | undefined>>

type Section = 'listen' | 'policy' | 'store' | 'identity' | 'audit' | 'notify' | 'connectors'

/** What one section refers to outside the configuration, by the path of each setting. */
interface References {
  readonly files: Readonly<Record<string, string | undefined>>
  readonly secrets: Readonly<Record<string, SecretReference | undefined>>
}

const REFERENCES: Readonly<Record<Section, (config: Config) => References>> = {
  listen: ({ listen: { tls, admin } }) => ({
    files: {
      ...tlsFiles('listen.tls', tls),
      ...tlsFiles('listen.admin.tls', admin.tls),
      ...keyFiles('listen.admin.people.issuers', admin.people.issuers),
    },
    secrets: { 'listen.admin.token': admin.token },
  }),
  policy: ({ policy }) => ({
    files: {
      ...(Object.assign({}, ...bundlesOf(policy).map(bundleFiles)) as References['files']),
      ...reportReferences(policy).files,
    },
    secrets: {
      ...Object.fromEntries(
        bundlesOf(policy).map(([path, { service }]) => [`${path}.service.token`, service?.token]),
      ),
      ...reportReferences(policy).secrets,
    },
  }),
  store: ({ store: { redis } }) => ({
    files: { 'store.redis.caFile': redis?.caFile },
    secrets: { 'store.redis.password': redis?.password },
  }),
  identity: ({ identity: { issuers, dpop } }) => ({
    files: keyFiles('identity.issuers', issuers),
    secrets: { 'identity.dpop.nonceSecret': dpop.nonceSecret },
  }),
  audit: (config) => {
    const { files, secrets } = exportReferences(config)
    return { files: { ...files, ...witnessFiles(config) }, secrets }
  },
  notify: notifyReferences,
  connectors: ({ connectors }) => ({
    files: Object.fromEntries(
      Object.entries(connectors).map(([name, { caFile }]) => [`connectors.${name}.caFile`, caFile]),
    ),
    secrets: Object.fromEntries(
      Object.entries(connectors).map(([name, { credential }]) => [
        `connectors.${name}.credential`,
        secretOf(credential),
      ]),
    ),
  }),
}

function tlsFiles(path: string, tls: TlsConfig | undefined): References['files'] {
  return {
    [`${path}.certificateFile`]: tls?.certificateFile,
    [`${path}.keyFile`]: tls?.keyFile,
    [`${path}.clientCaFile`]: tls?.clientCaFile,
    [`${path}.crlFile`]: tls?.crlFile,
  }
}

function keyFiles(path: string, issuers: readonly Pick<IssuerConfig, 'jwks'>[]): References['files'] {
  return Object.fromEntries(
    issuers.map(({ jwks }, index) => [`${path}.${index}.jwks`, 'file' in jwks ? jwks.file : jwks.caFile]),
  )
}

function bundleFiles([path, bundle]: readonly [string, BundleConfig]): References['files'] {
  const { verification, service } = bundle
  return {
    // A shadow that is not there keeps nothing from starting, and may come later.
    [`${path}.bundle`]: path === 'policy.shadow' ? undefined : bundle.bundle,
    [`${path}.verification.keyFile`]: verification?.keyFile,
    [`${path}.service.caFile`]: service?.caFile,
    [`${path}.service.clientCertificateFile`]: service?.clientCertificateFile,
    [`${path}.service.clientKeyFile`]: service?.clientKeyFile,
  }
}

/**
 * Files that cannot be read and variables that are not set. A file with an upstream's credential is not looked for:
 * it may come later, and rotates; a variable cannot appear, so one that is not set is a mistake now.
 */
export const REFERENCE_RULES = Object.entries(REFERENCES).map(([section, referencesOf]) => ({
  reads: [section as Section],
  check: (config: Config, environment: Environment): ConfigProblem[] => {
    const { files, secrets } = referencesOf(config)
    const needed =
      section === 'connectors'
        ? []
        : Object.entries(secrets).map(([path, secret]) => [path, fileOf(secret)] as const)
    return [
      ...[...Object.entries(files), ...needed].flatMap(([path, file]) =>
        file === undefined || isReadable(file) ? [] : [{ path, reason: `${file} cannot be read` }],
      ),
      ...Object.entries(secrets).flatMap(([path, secret]) =>
        secret?.source === 'env' && (environment[secret.name] ?? '') === ''
          ? [{ path, reason: `the variable ${secret.name} is not set` }]
          : [],
      ),
    ]
  },
}))

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
