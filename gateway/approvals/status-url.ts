import { OWN_PREFIX } from '../catalog/own-connector.ts'
import type { Config } from '../config/config.ts'
import { originsByEntrance } from '../config/entrance.ts'
import type { ReadCall } from '../exchange.ts'
import { originFor } from '../identity/resource-metadata.ts'
import type { ApprovalId } from './approval.ts'

/**
 * Where the agent of a call can ask how an approval stands: at the way in that it came by, because its proofs are made for
 * that one. `Host` only chooses among the configured origins.
 */
export function createStatusUrl({
  listen,
  connectors,
}: Pick<Config, 'connectors' | 'listen'>): (call: ReadCall, id: ApprovalId) => string {
  const origins = originsByEntrance({ listen, connectors })
  return ({ arrival, headers }, id) => {
    const candidates = origins.get(arrival.addressed?.entrance ?? 'prefix') ?? []
    const origin = originFor(candidates, headers.get('host'))
    return `${origin}${listen.externalPathPrefix}${OWN_PREFIX}/approvals/${id}`
  }
}
