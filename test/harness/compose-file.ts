import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

export const REPOSITORY = join(import.meta.dirname, '../..')

/** A service of docker-compose.yml, with anchors and merge keys resolved. */
export interface ComposeService {
  readonly image?: string
  readonly build?: { readonly context: string; readonly dockerfile: string; readonly target: string }
  readonly user?: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly volumes?: readonly string[]
  readonly secrets?: readonly string[]
  readonly configs?: readonly unknown[]
  readonly tmpfs?: readonly string[]
  readonly ports?: readonly string[]
  readonly depends_on?: unknown
  readonly network_mode?: string
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly security_opt?: readonly string[]
  readonly stop_grace_period?: string
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>
  readonly secrets: Readonly<Record<string, { readonly file: string }>>
  readonly volumes: Readonly<Record<string, unknown>>
}

export function readComposeFile(): ComposeFile {
  return parse(readFileSync(join(REPOSITORY, 'docker-compose.yml'), 'utf8'), { merge: true }) as ComposeFile
}

export function serviceOf(compose: ComposeFile, name: string): ComposeService {
  const service = compose.services[name]
  if (service === undefined) throw new Error(`docker-compose.yml has no service ${name}`)
  return service
}

export interface Mount {
  readonly source: string
  readonly target: string
  readonly readOnly: boolean
  /** A folder or file of the repository; a named volume otherwise. */
  readonly isBind: boolean
}

/** Volumes and secrets, as the container sees them. */
export function mountsOf({ secrets }: ComposeFile, service: ComposeService): Mount[] {
  const volumes = (service.volumes ?? []).map((volume): Mount => {
    const [source = '', target = '', mode = 'rw'] = volume.split(':')
    return { source, target, readOnly: mode === 'ro', isBind: source.startsWith('.') }
  })
  const files = (service.secrets ?? []).map((name): Mount => ({
    source: secrets[name]?.file ?? '',
    target: `/run/secrets/${name}`,
    readOnly: true,
    isBind: true,
  }))
  return [...volumes, ...files]
}
