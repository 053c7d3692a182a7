import type { Readiness } from './admin/admin.ts'
import type { Generation } from './generation.ts'
import type { Lasting } from './lasting.ts'
import type { Listener } from './listen/listener.ts'
import type { LocksState } from './locks/locks.ts'
import type { Policy } from './policy/policy.ts'
import type { BundleState } from './reports.ts'
import { VERSION } from './version.ts'

/** Why no calls may be sent here. A store that is away counts only where it closes every door. */
export function readinessOf(listener: Listener, generation: Generation, lasting: Lasting): Readiness {
  const reasons: Record<string, string> = {}
  if (listener.state !== 'accepting') reasons['listen'] = listener.state
  if (!generation.identity.ready()) reasons['identity'] = 'the keys of an issuer cannot be had'
  const trouble = lasting.audit.recorder.trouble()
  if (trouble !== '') reasons['audit'] = trouble
  if (lasting.store.state() === 'unavailable')
    reasons['store'] = 'cannot be reached, and both failure modes are closed'
  if (lasting.locks.closed === 'all') reasons['locks'] = TROUBLE_OF_LOCKS[lasting.locks.state]
  return reasons
}

const TROUBLE_OF_LOCKS: Readonly<Record<LocksState, string>> = {
  fresh: '',
  stale: 'the store of the locks is not heard of',
  unknown: 'the locks in force are not known yet',
}

/** What does not keep calls away, but whoever looks whether calls may be sent here should know. */
export function notesOf({ policy }: Generation, { approvals, fleetLog, locks }: Lasting): Readiness {
  const { kept, rejected } = policy.status()
  const notes = {
    ...(fleetLog?.healthy === false ? { fleet_log: 'the fleet log cannot be written' } : {}),
    ...(approvals.keeper.isUp ? {} : { approvals: 'their store does not answer' }),
    ...(locks.closed === 'writes' ? { locks: `writes are refused: ${TROUBLE_OF_LOCKS[locks.state]}` } : {}),
    ...(locks.inForce.length > 0 ? { locked: `${locks.inForce.length} in force` } : {}),
    ...(fleetLog?.lacksQuorum === true ? { witnesses: 'too few of them cosign the fleet log' } : {}),
  }
  if (!kept) return notes
  // Anybody may ask, so the reason is a word of ours and no address; the status has it in full.
  return {
    ...notes,
    policy: `the bundle kept from an earlier run is in force (${rejected?.problem ?? 'unconfirmed'})`,
  }
}

/** State for people; nothing in it is secret. */
export function statusOf(listener: Listener, generation: Generation, lasting: Lasting): unknown {
  const { catalog, credentials, egress, identity, policy, shadow, breakers } = generation
  return {
    version: VERSION,
    process: { pid: process.pid, node: process.versions.node, uptimeSeconds: Math.round(process.uptime()) },
    listen: { state: listener.state, port: listener.port, callsInFlight: listener.callsInFlight },
    policy: { ...policy.status(), shadow: shadow?.status() },
    identity: identity.status(),
    store: { state: lasting.store.state() },
    approvals: { pending: lasting.approvals.keeper.pending, isUp: lasting.approvals.keeper.isUp },
    locks: {
      state: lasting.locks.state,
      epoch: lasting.locks.epoch,
      inForce: lasting.locks.inForce.length,
    },
    reports: lasting.reports.status(),
    audit: {
      ...lasting.audit.log.health(),
      trouble: lasting.audit.recorder.trouble(),
      tree: lasting.audit.tree(),
    },
    connectors: catalog.connectors.map(({ name, origin }) => ({
      name,
      origin,
      operations: catalog.operations(name).length,
      breaker: breakers.states().get(name) ?? 'closed',
    })),
    credentials: credentials.health(),
    pools: egress.pools(),
  }
}

/** What status reports tell of the bundles. */
export function bundleState(policy: Policy): BundleState {
  const { bundles, loadMs } = policy.status()
  return { bundles, loadMs }
}
