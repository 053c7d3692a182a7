import type { Config, SecretReference } from './config.ts'
import { isRecord } from './overrides.ts'

/**
 * The configuration as toolgate.yaml would say it, for people and for `/admin/v1/config`: each secret is its
 * reference, `env:NAME` or `file:/path`, and what is not set is absent. Reads no secret.
 */
export function showConfig(config: Config): Readonly<Record<string, unknown>> {
  return showMembers({ ...config })
}

function show(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(show)
  if (!isRecord(value)) return value
  if (isSecretReference(value)) return `${value.source}:${value.name}`
  return showMembers(value)
}

function showMembers(value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, show(member)]))
}

function isSecretReference(value: object): value is SecretReference {
  return (
    Object.keys(value).length === 2 &&
    'source' in value &&
    'name' in value &&
    (value.source === 'env' || value.source === 'file')
  )
}
