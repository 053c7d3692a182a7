import { randomBytes } from 'node:crypto'
import type { Config } from './config/config.ts'
import { createSecretReader } from './config/secret.ts'
import { openOversight, type Oversight } from './open-oversight.ts'
import { openRecord, type OpenedRecord } from './open-record.ts'
import type { ProcessOptions } from './process-options.ts'
import { openReports, type Reports } from './reports.ts'
import { openStore, type OpenedStore } from './store/open-store.ts'
import { createTelemetry, type Telemetry } from './telemetry/telemetry.ts'
import { VERSION } from './version.ts'

/** What outlives a reading of the configuration: counters, the log, the record, and what people decided. */
export interface Lasting extends OpenedRecord, Omit<Oversight, 'known'> {
  readonly telemetry: Telemetry
  readonly store: OpenedStore
  readonly reports: Reports
  /** Key of the DPoP nonces of one process whose memory of proofs ends with it. */
  readonly nonceKey: Uint8Array
}

export async function openLasting(options: ProcessOptions): Promise<Lasting> {
  const { config, environment, worker, clock } = options
  await using stack = new AsyncDisposableStack()
  const telemetry = stack.use(
    await createTelemetry({
      config: config.telemetry,
      version: VERSION,
      connectors: Object.keys(config.connectors),
      clock,
    }),
  )
  const { events } = telemetry
  // The log is the last to close, so that it can tell what was lost on the way.
  stack.defer(() => events.stopped(telemetry.log.lostLines()))
  const record = stack.use(await openRecord({ config, environment, worker, clock, telemetry }))
  const reports = stack.use(await openReports({ config, environment, clock, telemetry }))
  const reference = config.store.redis?.password
  const password = reference && createSecretReader(environment)(reference)
  const store = stack.use(
    openStore({
      config: config.store,
      password,
      proofLifetimeMs: proofLifetimeOf(config),
      clock,
      events: events.store,
    }),
  )
  const { audit } = record
  const oversight = stack.use(
    await openOversight({ config, environment, clock, audit, events, password, sightings: store.sightings }),
  )
  // Before that every call would get what the failure modes say of a store that is away.
  await Promise.all([store.opened, oversight.known])
  const owned = stack.move()
  return {
    ...record,
    ...oversight,
    telemetry,
    reports,
    store,
    nonceKey: randomBytes(32),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** A nonce has a period in place of the window of `iat`, and no clock of the agent's that could be ahead. */
function proofLifetimeOf({ identity: { dpop } }: Config): number {
  return dpop.nonce === 'off' ? dpop.maxAgeMs + dpop.maxSkewMs : dpop.maxAgeMs
}
