import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Fakes } from './fakes.ts'
import type { Issuer } from './issuer.ts'
import { freePorts } from './free-ports.ts'
import { configFileIn } from './toolgate-process.ts'

export interface StartConfig {
  readonly file: string
  readonly port: number
  readonly adminPort: number
  readonly auditDirectory: string
  /** Writes the file again with these sections in place of what it had. */
  write(sections: Readonly<Record<string, unknown>>): Promise<void>
}

/** toolgate.yaml for one process with GitHub alone; drains without grace. */
export async function writeStartConfig(
  folder: string,
  { issuer, fakes }: { readonly issuer: Issuer; readonly fakes: Fakes },
  sections: Readonly<Record<string, unknown>> = {},
): Promise<StartConfig> {
  const [port = 0, adminPort = 0] = await freePorts(2)
  const auditDirectory = join(folder, `audit-${port}`)
  const settings = {
    listen: { port, admin: { port: adminPort }, drain: { graceMs: 0, deadlineMs: 5_000 } },
    identity: {
      issuers: [{ issuer: issuer.issuer, audiences: issuer.config.audiences, jwks: { uri: issuer.jwksUri } }],
    },
    connectors: {
      github: {
        origin: fakes.github.origin,
        credential: { type: 'bearer', token: 'env:GITHUB' },
        allowAddresses: ['127.0.0.0/8'],
      },
    },
    audit: { directory: auditDirectory },
    telemetry: { logDestination: 'stderr' },
  }
  const file = configFileIn(folder)
  const write = (more: Readonly<Record<string, unknown>>): Promise<void> =>
    writeFile(file, JSON.stringify({ ...settings, ...more }))
  await write(sections)
  return { file, port, adminPort, auditDirectory, write }
}
