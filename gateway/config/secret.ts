import { readFileSync } from 'node:fs'
import type { SecretReference } from './config.ts'
import { ConfigError } from './problem.ts'

/**
 * Reads a secret that is needed once, at start; credentials of upstreams rotate and are read elsewhere.
 * @returns a reader that throws {@link ConfigError} when the secret is absent or empty, without showing it.
 */
export function createSecretReader(
  environment: Readonly<Record<string, string | undefined>>,
): (reference: SecretReference) => string {
  return ({ source, name }) => {
    const text = source === 'env' ? environment[name] : readText(name)
    const value = text?.replace(/\r?\n$/, '')
    if (value === undefined || value === '') {
      throw new ConfigError([{ path: `${source}:${name}`, reason: 'holds no secret' }])
    }
    return value
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
