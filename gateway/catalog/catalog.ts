import { fileURLToPath } from 'node:url'
import { ConfigError, type ConfigProblem } from '../config/problem.ts'
import type { Config, ConnectorConfig } from '../config/config.ts'
import type { Resource } from '../exchange.ts'
import { pass, refuse, type Verdict } from '../refusal.ts'
import { checkAddresses, createAddressing, type ConnectorAddress, type RequestAddress } from './address.ts'
import { compileOperations, type CompiledOperation } from './compile.ts'
import type { Addressed, Connector, DataClass, Environment, Operation } from './connector.ts'
import { mayPassRequestHeader } from '../egress/request-headers.ts'
import { mayPassResponseHeader } from '../egress/response-headers.ts'
import { environmentOf } from './environment.ts'
import { createFolderReader, type ConnectorFile, type ConnectorFolder } from './folder.ts'
import { assertNever } from '../lib/assert-never.ts'
import { matchOwn, OWN_CONNECTOR, OWN_NAME } from './own-connector.ts'
import { readRawPath } from './raw-path.ts'
import { createPathTrie, type PathTrie } from './trie.ts'
import { viewCall, type View, type ViewInput } from './view.ts'

interface Matched {
  readonly operation: Operation
  /** Decoded once. */
  readonly pathParams: Readonly<Record<string, string>>
  /** The raw path that was matched, and the only one that may be forwarded; without the base path. */
  readonly path: string
}

/** One operation, as a list of them shows it. */
export interface ListedOperation extends Operation {
  readonly scopes: readonly string[]
  readonly deprecated: boolean
  /** Resource fields that policy is told. */
  readonly resources: readonly string[]
}

/** The configured connectors and all their operations; immutable, replaced whole on reload. */
export interface Catalog {
  readonly connectors: readonly Connector[]
  /** The connector a request names, before anything of it is checked. */
  connectorAt(request: RequestAddress): Addressed | undefined
  /** The one operation of a raw path below the connector's address. `HEAD` is `GET`'s operation. */
  match(connector: Connector, method: string, upstreamPath: string): Verdict<Matched>
  /** What policy sees of a call to `operation`. */
  view(operation: Operation, input: ViewInput): Verdict<View>
  environment(operation: Operation, resource: Resource): Environment
  /** Whether the vendor takes a body here that is neither JSON nor a form, so that policy cannot see it. */
  acceptsOpaque(operation: Operation): boolean
  /** The data classes of operations, each once and sorted; of one that is not in this catalogue, the highest. */
  dataClasses(operationIds: readonly string[]): readonly DataClass[]
  /** Every operation of a connector by id; empty for a name that is not configured. */
  operations(connector: string): readonly ListedOperation[]
}

interface Loaded {
  readonly connector: Connector
  readonly config: ConnectorConfig
  readonly file: ConnectorFile
  readonly trie: PathTrie<CompiledOperation>
  readonly operations: ReadonlyMap<string, CompiledOperation>
}

const OWN_PREFIX = `${OWN_NAME}.`
const NO_CLASSES: readonly DataClass[] = []
const CONNECTORS_DIRECTORY = fileURLToPath(new URL('../../connectors/', import.meta.url))

/**
 * Reads the folder of every configured connector and makes the catalogue.
 *
 * @throws ConfigError naming every mistake of every folder and of the `connectors` section at once.
 */
export function loadCatalog(
  configs: Config['connectors'],
  directory: string = CONNECTORS_DIRECTORY,
): Catalog {
  const problems: ConfigProblem[] = []
  const readFolder = createFolderReader(directory)
  const all = Object.entries(configs).flatMap(([name, config]) => {
    if (name === OWN_NAME) problems.push({ path: `connectors.${name}`, reason: 'is the gateway itself' })
    const folder = readFolder(name, problems)
    return folder === undefined ? [] : [loadConnector(folder, config, problems)]
  })
  const addresses = all.map(addressOf)
  checkAddresses(addresses, problems)
  if (problems.length > 0) throw new ConfigError(problems)
  return createCatalog(all, addresses)
}

function createCatalog(all: readonly Loaded[], addresses: readonly ConnectorAddress[]): Catalog {
  const byName = new Map(all.map((loaded) => [loaded.connector.name, loaded]))
  const loadedOf = (name: string): Loaded => {
    const loaded = byName.get(name)
    if (loaded === undefined) throw new RangeError(`${name} is not a connector of this catalogue`)
    return loaded
  }
  const compiledOf = ({ id, connector }: Operation): CompiledOperation => {
    const compiled = loadedOf(connector).operations.get(id)
    if (compiled === undefined) throw new RangeError(`${id} is not an operation of this catalogue`)
    return compiled
  }
  return {
    connectors: all.map(({ connector }) => connector),
    connectorAt: createAddressing(addresses),
    match: (connector, method, upstreamPath) =>
      connector === OWN_CONNECTOR
        ? matchOwn(method, upstreamPath)
        : matchPath(loadedOf(connector.name), method, upstreamPath),
    view: (operation, input) =>
      viewCall(loadedOf(operation.connector).connector, compiledOf(operation), input),
    acceptsOpaque: (operation) => compiledOf(operation).opaque,
    environment: (operation, resource) => environmentOf(loadedOf(operation.connector).config, resource),
    dataClasses: (ids) => (ids.length === 0 ? NO_CLASSES : dataClassesOf(ids, byName)),
    operations: (name) => [...(byName.get(name)?.operations.values() ?? [])].map(listed),
  }
}

/** A task may remember operations of a connector that was configured when they were used. */
function dataClassesOf(ids: readonly string[], byName: ReadonlyMap<string, Loaded>): readonly DataClass[] {
  const classes: DataClass[] = []
  for (const id of ids) {
    // Asking the gateway how an approval stands is no way to data.
    if (id.startsWith(OWN_PREFIX)) continue
    const operations = byName.get(id.slice(0, id.indexOf('.')))?.operations
    const dataClass = operations?.get(id)?.operation.dataClass ?? 'restricted'
    if (!classes.includes(dataClass)) classes.push(dataClass)
  }
  return classes.length > 1 ? classes.sort() : classes
}

function matchPath({ trie, file }: Loaded, method: string, upstreamPath: string): Verdict<Matched> {
  const path = stripPrefix(upstreamPath, file.stripPrefixes ?? [])
  const reading = readRawPath(path)
  if (!reading.ok) return refuse('request.target_invalid', { detail: reading.reason })
  const found = trie.find(method === 'HEAD' ? 'GET' : method, reading.segments)
  switch (found.kind) {
    case 'found':
      return pass({ operation: found.value.operation, pathParams: found.pathParams, path })
    case 'unknown':
      return refuse('route.unknown_operation')
    case 'invalid':
      return refuse('request.target_invalid', { detail: found.reason })
    case 'ambiguous':
      return refuse('request.ambiguous', { detail: found.reason })
    default:
      return assertNever(found)
  }
}

function stripPrefix(path: string, prefixes: readonly string[]): string {
  const prefix = prefixes.find((candidate) => path.startsWith(`${candidate}/`))
  return prefix === undefined ? path : path.slice(prefix.length)
}

function loadConnector(folder: ConnectorFolder, config: ConnectorConfig, problems: ConfigProblem[]): Loaded {
  const { connector: file } = folder
  checkHeaders(file, problems)
  const connector = connectorOf(file, config, problems)
  return { connector, config, file, ...compileOnce(folder, config.origin !== undefined, problems) }
}

type Compiled = Pick<Loaded, 'trie' | 'operations'>

/** By folder as it was read, and by whether its origin is configured; nothing else goes into it. */
const compiledFolders = new WeakMap<ConnectorFolder, Map<boolean, Compiled>>()

function compileOnce(folder: ConnectorFolder, oneOrigin: boolean, problems: ConfigProblem[]): Compiled {
  const known = compiledFolders.get(folder)?.get(oneOrigin)
  if (known !== undefined) return known
  const found: ConfigProblem[] = []
  const compiled = compileOperations(folder, oneOrigin, found)
  const trie = plantTrie(folder.connector.name, compiled, found)
  const made = { trie, operations: new Map(compiled.map((each) => [each.operation.id, each])) }
  problems.push(...found)
  // A mistake has to be told each time.
  if (found.length > 0) return made
  const kept = compiledFolders.get(folder) ?? new Map<boolean, Compiled>()
  compiledFolders.set(folder, kept.set(oneOrigin, made))
  return made
}

/** What never passes is a mistake where it stands, not a header that is quietly missing from calls. */
function checkHeaders({ name, headers }: ConnectorFile, problems: ConfigProblem[]): void {
  const path = `connectors/${name}/connector.yaml#/headers`
  for (const header of headers?.request ?? []) {
    if (!mayPassRequestHeader(header))
      problems.push({ path: `${path}/request`, reason: `${header} never goes to an upstream` })
  }
  for (const header of headers?.response ?? []) {
    if (!mayPassResponseHeader(header))
      problems.push({ path: `${path}/response`, reason: `${header} never goes to a caller` })
  }
}

function plantTrie(
  connector: string,
  compiled: readonly CompiledOperation[],
  problems: ConfigProblem[],
): PathTrie<CompiledOperation> {
  const trie = createPathTrie<CompiledOperation>()
  for (const each of compiled) {
    for (const { method, path, template } of each.routes) {
      const taken = trie.insert(method, path, template, each)
      if (taken === undefined) continue
      problems.push({
        path: `connectors/${connector} (${each.operation.id})`,
        reason: `${method} ${path} is already ${taken}`,
      })
    }
  }
  return trie
}

function connectorOf(file: ConnectorFile, config: ConnectorConfig, problems: ConfigProblem[]): Connector {
  const path = `connectors.${file.name}.origin`
  const given = config.origin ?? file.origin
  if (given === 'site')
    problems.push({ path, reason: 'must be given: every customer of this vendor has a host of their own' })
  const url = URL.parse(given)
  if (url === null && given !== 'site') problems.push({ path, reason: 'is not a URL' })
  const origin = url?.origin ?? ''
  return {
    name: file.name,
    origin,
    basePath: url === null ? '' : url.pathname.replace(/\/+$/, ''),
    dialect: file.dialect,
    bodyLimitBytes: config.bodyLimitBytes ?? file.bodyLimitBytes,
    prefix: config.address.prefix ?? file.prefix,
    headers: { request: file.headers?.request ?? [], response: file.headers?.response ?? [] },
    redirectHosts: file.redirectHosts ?? [],
    links: {
      header: file.links?.header ?? false,
      body: config.rewriteBodyLinks,
      // A mirror or a stand-in still names the vendor's own host in what it says.
      origins: [...new Set([origin, ...publishedOrigin(file), ...(file.links?.origins ?? [])])],
    },
    sensitiveResources: file.sensitiveResources ?? [],
    credentialParameters: {
      query: file.credentialParameters?.query ?? [],
      body: file.credentialParameters?.body ?? [],
    },
  }
}

function publishedOrigin({ origin }: ConnectorFile): readonly string[] {
  return origin === 'site' ? [] : [new URL(origin).origin]
}

/** The default prefix holds only where the configuration names no address at all. */
function addressOf({ connector, config, file }: Loaded): ConnectorAddress {
  const { prefix, hosts, port } = config.address
  const named = prefix !== undefined || hosts.length > 0 || port !== undefined
  return { connector, prefix: named ? prefix : file.prefix, hosts, port }
}

function listed({ operation, scopes, deprecated, resources }: CompiledOperation): ListedOperation {
  return { ...operation, scopes, deprecated, resources: [...resources.keys()] }
}
