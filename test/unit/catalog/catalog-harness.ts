import type { ConnectorConfig } from '../../../gateway/config/config.ts'
import { loadCatalog, type Catalog } from '../../../gateway/catalog/catalog.ts'
import type { Connector } from '../../../gateway/catalog/connector.ts'

export const CONNECTORS = ['github', 'jira', 'confluence', 'slack'] as const

export const connectorConfig: ConnectorConfig = {
  origin: undefined,
  address: { prefix: undefined, hosts: [], port: undefined },
  credential: { type: 'none' },
  environments: [],
  environment: 'unknown',
  allowAddresses: [],
  caFile: undefined,
  connections: 8,
  connectTimeoutMs: 1000,
  replyTimeoutMs: 1000,
  idleTimeoutMs: 1000,
  bodyLimitBytes: undefined,
  rewriteBodyLinks: false,
}

/** The four committed connectors, with a site of its own for Atlassian's two. */
export function loadCommitted(more: Record<string, Partial<ConnectorConfig>> = {}): Catalog {
  const site = { origin: 'https://zyx-bank.atlassian.net' }
  return loadCatalog(
    Object.fromEntries(
      CONNECTORS.map((name) => {
        const own = name === 'jira' || name === 'confluence' ? site : {}
        return [name, { ...connectorConfig, ...own, ...more[name] }]
      }),
    ),
  )
}

export function connectorNamed(catalog: Catalog, name: string): Connector {
  const connector = catalog.connectors.find((each) => each.name === name)
  if (connector === undefined) throw new RangeError(`${name} is not in the catalogue`)
  return connector
}
