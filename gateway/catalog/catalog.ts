import { fileURLToPath } from 'node:url'
import { ConfigError, type ConfigProblem } from '../config/problem.ts'
import type { Config } from '../config/config.ts'
import type { Resource } from '../exchange.ts'
import { pass, refuse, type Verdict } from '../refusal.ts'
import { checkAddresses, createAddressing, type ConnectorAddress, type RequestAddress } from './address.ts'
import type { CompiledOperation } from './compile.ts'
import type { Addressed, Connector, DataClass, Environment, Operation } from './connector.ts'
import { environmentOf } from './environment.ts'
import { createFolderReader } from './folder.ts'
import { assertNever } from '../lib/assert-never.ts'
import { addressOf, loadConnector, type LoadedConnector } from './load-connector.ts'
import { matchOwn, OWN_CONNECTOR, OWN_NAME } from './own-connector.ts'
import { readRawPath } from './raw-path.ts'
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

const OWN_OPERATIONS = `${OWN_NAME}.`
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

function createCatalog(all: readonly LoadedConnector[], addresses: readonly ConnectorAddress[]): Catalog {
  const byName = new Map(all.map((loaded) => [loaded.connector.name, loaded]))
  const loadedOf = (name: string): LoadedConnector => {
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
function dataClassesOf(
  ids: readonly string[],
  byName: ReadonlyMap<string, LoadedConnector>,
): readonly DataClass[] {
  const classes: DataClass[] = []
  for (const id of ids) {
    // Asking the gateway how an approval stands is no way to data.
    if (id.startsWith(OWN_OPERATIONS)) continue
    const operations = byName.get(id.slice(0, id.indexOf('.')))?.operations
    const dataClass = operations?.get(id)?.operation.dataClass ?? 'restricted'
    if (!classes.includes(dataClass)) classes.push(dataClass)
  }
  return classes.length > 1 ? classes.sort() : classes
}

function matchPath({ trie, file }: LoadedConnector, method: string, upstreamPath: string): Verdict<Matched> {
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

function listed({ operation, scopes, deprecated, resources }: CompiledOperation): ListedOperation {
  return { ...operation, scopes, deprecated, resources: [...resources.keys()] }
}
