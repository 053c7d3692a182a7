import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import { parseDocument } from 'yaml'
import type { ConfigProblem } from '../config/problem.ts'
import type { AmountOverride } from './amount.ts'
import type { Access, DataClass, SensitiveResource } from './connector.ts'
import type { PhaseRule } from './phase.ts'
import type { ResourceField } from './resource-rule.ts'

/** connector.yaml, as its schema describes it. */
export interface ConnectorFile {
  readonly name: string
  readonly title: string
  readonly origin: string
  readonly prefix: string
  readonly dialect: 'github' | 'atlassian' | 'slack' | 'problem'
  readonly credential: 'bearer' | 'basic' | 'header'
  readonly bodyLimitBytes: number
  readonly headers?: { readonly request?: readonly string[]; readonly response?: readonly string[] }
  readonly redirectHosts?: readonly string[]
  readonly links?: { readonly header?: boolean; readonly origins?: readonly string[] }
  readonly sensitiveResources?: readonly SensitiveResource[]
  readonly credentialParameters?: { readonly query?: readonly string[]; readonly body?: readonly string[] }
  readonly stripPrefixes?: readonly string[]
}

export interface OperationFacts {
  readonly risk: number
  readonly dataClass: DataClass
  readonly reversible: boolean
}

/** A list of places for one thing, or of several things that are all acted upon. */
export type ResourceOverride = readonly string[] | { readonly every: readonly string[] }

export interface OverrideRule extends Partial<OperationFacts> {
  readonly match: readonly string[]
  readonly methods?: readonly string[]
  readonly access?: Access
  readonly resources?: Partial<Record<ResourceField, ResourceOverride>>
  readonly amount?: AmountOverride
  readonly phase?: PhaseRule
  readonly body?: 'all' | readonly string[]
}

/** overrides.yaml, as its schema describes it. */
interface OverridesFile {
  readonly defaults: Readonly<Record<Access, OperationFacts>>
  readonly rules: readonly OverrideRule[]
  readonly extras?: readonly (PublishedOperation & { readonly why: string })[]
  readonly paths?: readonly { readonly operation: string; readonly path: string }[]
  readonly aliases?: readonly {
    readonly from: string
    readonly to: string
    readonly methods?: readonly string[]
  }[]
  readonly readsByGet?: boolean
  readonly indistinguishable?: Readonly<Record<string, string>>
}

/** One operation as the vendor publishes it, facts only: one line of operations.json. */
export interface PublishedOperation {
  /** Vendor's own operation id; behind a product prefix where two products of a vendor use the same id. */
  readonly id: string
  readonly method: string
  /** Path template with `{name}` parameters, as the upstream's host serves it. */
  readonly path: string
  /** Parameters whose value may contain a slash. */
  readonly slash?: readonly string[]
  /** Origin, where it is not the connector's own. */
  readonly origin?: string
  /** Media types the request body may have, when it is not JSON alone. */
  readonly consumes?: readonly string[]
  /** OAuth scopes, any one set of which the vendor asks for. */
  readonly scopes?: readonly string[]
  readonly deprecated?: boolean
}

export interface ConnectorFolder {
  readonly connector: ConnectorFile
  readonly operations: readonly PublishedOperation[]
  readonly overrides: OverridesFile
}

const OPERATIONS_SCHEMA = {
  type: 'object',
  required: ['connector', 'sources', 'operations'],
  properties: {
    operations: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['id', 'method', 'path'],
        properties: {
          id: { type: 'string', minLength: 1 },
          method: { enum: ['GET', 'PUT', 'POST', 'DELETE', 'PATCH'] },
          path: { type: 'string', pattern: '^/' },
          slash: { type: 'array', items: { type: 'string' } },
        },
      },
    },
  },
}

interface Checks {
  readonly connector: ValidateFunction<ConnectorFile>
  readonly overrides: ValidateFunction<OverridesFile>
  readonly operations: ValidateFunction<{ operations: PublishedOperation[] }>
}

/** Compiled on first use and kept: a reload must not hold the event loop up for schemas that cannot have changed. */
let compiledChecks: Checks | undefined

function compileChecks(): Checks {
  const ajv = new Ajv2020({
    allErrors: true,
    strict: false,
    allowUnionTypes: true,
    // A test holds the schemas to theirs. Asking that at each start, and optimising what runs once for each file,
    // costs as much as all else about them.
    validateSchema: false,
    code: { optimize: false },
  })
  const schemaOf = (file: string): object =>
    JSON.parse(readFileSync(new URL(`../../connectors/${file}`, import.meta.url), 'utf8')) as object
  return {
    connector: ajv.compile<ConnectorFile>(schemaOf('schema.json')),
    overrides: ajv.compile<OverridesFile>(schemaOf('overrides.schema.json')),
    operations: ajv.compile<{ operations: PublishedOperation[] }>(OPERATIONS_SCHEMA),
  }
}

const FILES = ['connector.yaml', 'overrides.yaml', 'operations.json'] as const

interface KeptFolder {
  /** Tells one writing of its files from the next. */
  readonly mark: string
  readonly folder: ConnectorFolder
}

/** Folders without a mistake, as they were last read: a reload seldom has to do with connectors, and they are large. */
const keptFolders = new Map<string, KeptFolder>()

/** Reads connector folders below `directory`, checking each file against its schema. */
export function createFolderReader(
  directory: string,
): (name: string, problems: ConfigProblem[]) => ConnectorFolder | undefined {
  const checks = (compiledChecks ??= compileChecks())
  return (name, problems) => {
    if (!existsSync(join(directory, name))) {
      const reason = `there is no connector of this name, but ${namesIn(directory).join(', ')}`
      problems.push({ path: `connectors.${name}`, reason })
      return undefined
    }
    const mark = markOf(join(directory, name))
    const kept = keptFolders.get(join(directory, name))
    if (kept !== undefined && kept.mark === mark) return kept.folder
    const read = <T>(file: string, check: ValidateFunction<T>): T | undefined =>
      readChecked(join(directory, name, file), `connectors/${name}/${file}`, check, problems)
    const connector = read('connector.yaml', checks.connector)
    const overrides = read('overrides.yaml', checks.overrides)
    const operations = read('operations.json', checks.operations)?.operations
    if (connector === undefined || overrides === undefined || operations === undefined) return undefined
    if (connector.name !== name) {
      problems.push({
        path: `connectors/${name}/connector.yaml#/name`,
        reason: `must be the folder's name, ${name}`,
      })
      return undefined
    }
    const folder = { connector, operations, overrides }
    keptFolders.set(join(directory, name), { mark, folder })
    return folder
  }
}

/** Of files that are not there it says so; whoever reads them finds out more. */
function markOf(directory: string): string {
  return FILES.map((file) => {
    const stats = statSync(join(directory, file), { bigint: true, throwIfNoEntry: false })
    return stats === undefined ? '-' : `${stats.ino} ${stats.size} ${stats.mtimeNs}`
  }).join(' ')
}

function namesIn(directory: string): readonly string[] {
  const folders = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return folders.map(({ name }) => name).filter((name) => existsSync(join(directory, name, 'connector.yaml')))
}

function readChecked<T>(
  file: string,
  path: string,
  check: ValidateFunction<T>,
  problems: ConfigProblem[],
): T | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    problems.push({
      path,
      reason: `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
    })
    return undefined
  }
  const parsed = file.endsWith('.json') ? parseJson(text) : parseYaml(text)
  if (parsed.reasons.length > 0) {
    problems.push(...parsed.reasons.map((reason) => ({ path, reason })))
    return undefined
  }
  if (check(parsed.value)) return parsed.value
  problems.push(
    ...(check.errors ?? []).map((error) => ({ path: path + pointerOf(error), reason: reasonOf(error) })),
  )
  return undefined
}

interface Parsed {
  readonly value: unknown
  readonly reasons: readonly string[]
}

function parseYaml(text: string): Parsed {
  const document = parseDocument(text, { uniqueKeys: true, version: '1.2', schema: 'core' })
  const reasons = [...document.errors, ...document.warnings].map((error) => error.message)
  return { value: reasons.length > 0 ? undefined : (document.toJS({ maxAliasCount: 0 }) as unknown), reasons }
}

function parseJson(text: string): Parsed {
  try {
    return { value: JSON.parse(text) as unknown, reasons: [] }
  } catch (cause) {
    return { value: undefined, reasons: [cause instanceof Error ? cause.message : String(cause)] }
  }
}

function pointerOf(error: ErrorObject): string {
  return error.instancePath === '' ? '' : `#${error.instancePath}`
}

function reasonOf(error: ErrorObject): string {
  const unknown =
    error.keyword === 'additionalProperties' ? String(error.params['additionalProperty']) : undefined
  return unknown === undefined ? (error.message ?? error.keyword) : `has an unknown key "${unknown}"`
}
