import { readFileSync, realpathSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { Ajv, type DefinedError, type ValidateFunction } from 'ajv'
import { parse as parseYaml, parseDocument } from 'yaml'
import type { Config, SecretReference } from './config.ts'
import { contradictions } from './contradictions.ts'
import { configFormats } from './formats.ts'
import { applyOverrides, isRecord } from './overrides.ts'
import { ConfigError, type ConfigProblem } from './problem.ts'
import { configSchema, isSection } from './schema.ts'

const FILE_LIMIT_BYTES = 1_048_576
const PACKAGE_FOLDER = resolve(import.meta.dirname, '../..')

export interface LoadOptions {
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** A configuration as far as it can be read, and everything that is wrong with it so far. */
export interface ConfigReading {
  /** Whole only where there are no problems: misshapen sections are not to be used, misshapen connectors are left out. */
  readonly config: Config
  readonly misshapen: ReadonlySet<string>
  readonly problems: readonly ConfigProblem[]
}

/**
 * Reads toolgate.yaml, lays overrides over it, fills in defaults and checks everything.
 * @throws {ConfigError} with every mistake found, never just the first.
 */
export function loadConfig(path: string, options: LoadOptions): Config {
  return wholeOf(readConfig(path, options))
}

/**
 * The same for who has more to find out before they complain; see `everyProblem`.
 * @throws {ConfigError} when there is nothing to read a configuration from
 */
export function readConfig(path: string, { environment }: LoadOptions): ConfigReading {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new ConfigError([{ path, reason: `cannot be read (${(cause as NodeJS.ErrnoException).code})` }])
  }
  // Relative paths follow the file's real place: Kubernetes mounts it through a symlink.
  return readText(text, { environment, folder: dirname(realpathSync(path)) })
}

interface TextOptions extends LoadOptions {
  /** That relative paths start from. */
  readonly folder: string
}

/** {@link loadConfig} for a text that is there already. */
export function parseConfig(text: string, options: TextOptions): Config {
  return wholeOf(readText(text, options))
}

function wholeOf({ config, problems }: ConfigReading): Config {
  if (problems.length > 0) throw new ConfigError(problems)
  return config
}

/** {@link readConfig} for a text that is there already. */
export function readText(text: string, options: TextOptions): ConfigReading {
  if (Buffer.byteLength(text) > FILE_LIMIT_BYTES) {
    throw new ConfigError([{ path: 'toolgate.yaml', reason: `is larger than ${FILE_LIMIT_BYTES} bytes` }])
  }
  const document = parseStrictYaml(text)
  const problems = applyOverrides(document, options.environment, configSchema, parseYaml)
  const { config: filled, errors } = fillIn(document, options.folder)
  problems.push(...errors.flatMap(describe))
  const misshapen = misshapenParts(problems)
  const config = deepFreeze(withoutMisshapen(misshapen.has('audit') ? filled : placed(filled), misshapen))
  problems.push(...contradictions(config, misshapen, options.environment))
  return { config, misshapen, problems }
}

/**
 * Sections with mistakes of shape, and single connectors as `connectors.NAME`: the others can still be looked at. A
 * variable that names no setting has changed nothing.
 */
function misshapenParts(problems: readonly ConfigProblem[]): ReadonlySet<string> {
  const parts = problems.map(({ path }) => {
    const [section = '', name] = path.split('.')
    return section === 'connectors' && name !== undefined ? `${section}.${name}` : section
  })
  return new Set(parts.filter((part) => isSection(part) || part.startsWith('connectors.')))
}

/** Whoever says where the record lies has said where there is room for what it only commits to. */
function placed(config: Config): Config {
  const { directory, disclosures } = config.audit
  const beside = {
    directory: join(directory, '../disclosures'),
    keyFile: join(directory, '../disclosures.key'),
  }
  return { ...config, audit: { ...config.audit, disclosures: Object.assign(beside, disclosures) } }
}

function withoutMisshapen(config: Config, misshapen: ReadonlySet<string>): Config {
  if (misshapen.size === 0 || misshapen.has('connectors')) return config
  const sound = Object.entries(config.connectors).filter(([name]) => !misshapen.has(`connectors.${name}`))
  return { ...config, connectors: Object.fromEntries(sound) }
}

function parseStrictYaml(text: string): Record<string, unknown> {
  const parsed = parseDocument(text, { uniqueKeys: true, prettyErrors: true, version: '1.2' })
  if (parsed.errors.length > 0) {
    throw new ConfigError(
      parsed.errors.map((error) => ({
        path: 'toolgate.yaml',
        reason: error.message.split('\n')[0] ?? error.message,
      })),
    )
  }
  const value: unknown = parsed.toJS({ maxAliasCount: 32 })
  if (!isRecord(value)) throw new ConfigError([{ path: 'toolgate.yaml', reason: 'is not a mapping' }])
  return value
}

/** What keywords need to know beside the value: where relative paths start from. */
interface ReadingContext {
  readonly folder: string
}

/** Compiled on first use and kept: that takes longer than everything else about a configuration. */
let compiledCheck: ValidateFunction<Config> | undefined

/** Lays defaults into `document`, and resolves references and paths in it; a configuration as far as there are no errors. */
function fillIn(document: object, folder: string): { config: Config; errors: readonly DefinedError[] } {
  const check = (compiledCheck ??= compileCheck())
  const context: ReadingContext = { folder }
  const isWhole = check.call(context, document)
  return { config: document as Config, errors: isWhole ? [] : ((check.errors ?? []) as DefinedError[]) }
}

function compileCheck(): ValidateFunction<Config> {
  const ajv = new Ajv({
    allErrors: true,
    // What is wrong with a choice is said by naming its alternatives.
    verbose: true,
    useDefaults: true,
    strict: true,
    strictRequired: false,
    passContext: true,
    formats: formats(),
    // Optimising takes nearly as long as all else, and gains nothing for a check that runs once.
    code: { optimize: false },
  })
  ajv.addKeyword({
    keyword: 'secretReference',
    type: 'string',
    modifying: true,
    error: { message: 'must be env:NAME or file:/path; a secret is not written here' },
    validate(this: ReadingContext, _schema: unknown, text: string, _parent: unknown, place?: Place) {
      const reference = parseSecretReference(text, this.folder)
      if (reference !== undefined && place !== undefined)
        place.parentData[place.parentDataProperty] = reference
      return reference !== undefined
    },
  })
  ajv.addKeyword({
    keyword: 'filePath',
    type: 'string',
    modifying: true,
    validate(this: ReadingContext, _schema: unknown, text: string, _parent: unknown, place?: Place) {
      if (place !== undefined) place.parentData[place.parentDataProperty] = absolute(text, this.folder)
      return true
    },
  })
  return ajv.compile<Config>(configSchema)
}

const FORMAT_REASONS: Readonly<Record<string, string>> = {
  origin: 'must be scheme://host[:port] and nothing more',
  upstream: 'must be an http(s) origin, with a base path at most, no query and no final slash',
  host: 'must be a host name in lower case, with a port at most',
  cidr: 'must be an address or a CIDR range',
  'time-zone': 'must be an IANA time zone',
  'credential-header': 'must be a header name that says nothing of the message itself',
  uri: 'must be an absolute URI',
}

interface Place {
  readonly parentData: Record<string | number, unknown>
  readonly parentDataProperty: string | number
}

function formats(): Record<string, (text: string) => boolean> {
  return { ...configFormats, uri: (text) => URL.canParse(text) }
}

function parseSecretReference(text: string, folder: string): SecretReference | undefined {
  const match = /^(env|file):(.+)$/.exec(text)
  const [, source, name] = match ?? []
  if (name === undefined) return undefined
  if (source === 'env') return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? { source, name } : undefined
  return { source: 'file', name: absolute(name, folder) }
}

function absolute(path: string, folder: string): string {
  if (path.startsWith('@')) return join(PACKAGE_FOLDER, path.slice(1))
  return isAbsolute(path) ? path : resolve(folder, path)
}

function describe(error: DefinedError): ConfigProblem[] {
  // The branch keywords only repeat what the branch itself reported.
  if (error.keyword === 'if' || error.schemaPath.includes('/oneOf/')) return []
  const path = error.instancePath.slice(1).replaceAll('/', '.') || 'toolgate.yaml'
  switch (error.keyword) {
    case 'required': {
      const parent = error.instancePath.slice(1).replaceAll('/', '.')
      const missing = error.params.missingProperty
      return [{ path: parent === '' ? missing : `${parent}.${missing}`, reason: 'is required' }]
    }
    case 'additionalProperties':
      return [{ path, reason: `has no setting ${JSON.stringify(error.params.additionalProperty)}` }]
    case 'enum':
      return [{ path, reason: `must be one of ${error.params.allowedValues.join(', ')}` }]
    case 'format':
      return [{ path, reason: FORMAT_REASONS[error.params.format] ?? `is not a ${error.params.format}` }]
    case 'oneOf':
      return [{ path, reason: `needs exactly one of ${alternativesOf(error)}` }]
    case 'false schema':
      return [{ path, reason: 'does not belong to this type of credential' }]
    default:
      return [{ path, reason: error.message ?? error.keyword }]
  }
}

/** The settings of which one has to be there: what each branch of our `oneOf`s requires. */
function alternativesOf({ parentSchema }: DefinedError): string {
  const branches = (parentSchema?.['oneOf'] ?? []) as readonly { readonly required?: readonly string[] }[]
  return branches.flatMap(({ required = [] }) => required).join(', ')
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) deepFreeze(member)
  }
  return value
}
