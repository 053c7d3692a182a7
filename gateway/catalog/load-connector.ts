import type { ConnectorConfig } from '../config/config.ts'
import type { ConfigProblem } from '../config/problem.ts'
import { mayPassRequestHeader } from '../egress/request-headers.ts'
import { mayPassResponseHeader } from '../egress/response-headers.ts'
import type { ConnectorAddress } from './address.ts'
import { compileOperations, type CompiledOperation } from './compile.ts'
import type { Connector } from './connector.ts'
import type { ConnectorFile, ConnectorFolder } from './folder.ts'
import { createPathTrie, type PathTrie } from './trie.ts'

/** One configured connector, with what its folder says. */
export interface LoadedConnector {
  readonly connector: Connector
  readonly config: ConnectorConfig
  readonly file: ConnectorFile
  readonly trie: PathTrie<CompiledOperation>
  readonly operations: ReadonlyMap<string, CompiledOperation>
}

/** Makes a connector and its operations of a folder and its configuration; adds every mistake to `problems`. */
export function loadConnector(
  folder: ConnectorFolder,
  config: ConnectorConfig,
  problems: ConfigProblem[],
): LoadedConnector {
  const { connector: file } = folder
  checkHeaders(file, problems)
  const connector = connectorOf(file, config, problems)
  return { connector, config, file, ...compileOnce(folder, config.origin !== undefined, problems) }
}

type Compiled = Pick<LoadedConnector, 'trie' | 'operations'>

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
export function addressOf({ connector, config, file }: LoadedConnector): ConnectorAddress {
  const { prefix, hosts, port } = config.address
  const named = prefix !== undefined || hosts.length > 0 || port !== undefined
  return { connector, prefix: named ? prefix : file.prefix, hosts, port }
}
