import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type ListedOperation, loadCatalog } from '../../catalog/catalog.ts'
import type { ConnectorConfig } from '../../config/config.ts'

const CONNECTORS_DIRECTORY = resolve(import.meta.dirname, '../../../connectors')

/** Nothing is called: the catalogue is only read, so any origin will do for a vendor that has one per customer. */
const READ_ONLY: ConnectorConfig = {
  origin: 'https://site.example',
  address: { prefix: undefined, hosts: [], port: undefined },
  credential: { type: 'none' },
  environments: [],
  environment: 'unknown',
  allowAddresses: [],
  caFile: undefined,
  connections: 1,
  connectTimeoutMs: 1000,
  replyTimeoutMs: 1000,
  idleTimeoutMs: 1000,
  bodyLimitBytes: undefined,
  rewriteBodyLinks: false,
}

/** Every operation of every connector there is. */
export async function catalogueOperations(): Promise<readonly ListedOperation[]> {
  const names: string[] = []
  for (const name of (await readdir(CONNECTORS_DIRECTORY)).sort()) {
    const isConnector = await stat(join(CONNECTORS_DIRECTORY, name, 'connector.yaml')).then(
      () => true,
      () => false,
    )
    if (isConnector) names.push(name)
  }
  const catalog = loadCatalog(Object.fromEntries(names.map((name) => [name, READ_ONLY])))
  return names.flatMap((name) => catalog.operations(name))
}
