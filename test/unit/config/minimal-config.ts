import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseConfig } from '../../../gateway/config/load.ts'
import { ConfigError, type ConfigProblem } from '../../../gateway/config/problem.ts'
import type { Config } from '../../../gateway/config/config.ts'

/** The least that a gateway needs. */
export const MINIMAL = `
identity:
  issuers:
    - issuer: https://issuer.example
      audiences: [https://gateway.example]
      jwks: { uri: https://issuer.example/jwks }
connectors:
  github:
    credential: { type: none }
policy: { bundle: bundle.tar.gz }
`

/** A folder that holds the bundle of `MINIMAL`, and texts read as if they lay in it. */
export interface ConfigFolder extends Disposable {
  readonly folder: string
  load(text: string, environment?: Record<string, string>): Config
  /** Throws where there are none. */
  problemsOf(text: string, environment?: Record<string, string>): readonly ConfigProblem[]
}

export function configFolder(): ConfigFolder {
  const folder = mkdtempSync(join(tmpdir(), 'toolgate-config-'))
  writeFileSync(join(folder, 'bundle.tar.gz'), '')
  const load: ConfigFolder['load'] = (text, environment = {}) => parseConfig(text, { environment, folder })
  return {
    folder,
    load,
    problemsOf(text, environment = {}) {
      try {
        load(text, environment)
      } catch (error) {
        if (error instanceof ConfigError) return error.problems
        throw error
      }
      throw new Error('the configuration was accepted')
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  }
}
