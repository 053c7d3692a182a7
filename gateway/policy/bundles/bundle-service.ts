import type { BundleServiceConfig } from '../../config/policy-config.ts'
import type { Clock } from '../../lib/clock.ts'
import { BundleError } from './bundle-error.ts'
import { SourceHistory } from './bundle-source.ts'
import type { BundleSource, Taking } from './bundle-source.ts'
import { fetchBundle } from './fetch-bundle.ts'
import { keptBundle } from './kept-bundle.ts'
import { serviceUrl } from '../service-request.ts'

export interface BundleServiceOptions {
  readonly config: BundleServiceConfig
  /** The bearer token; asked for at every request. */
  readonly token?: (() => string) | undefined
  readonly clock: Clock
  /** Whether a bundle in force is kept on disk for the next start: written and read, only read, or neither. */
  readonly keep: 'always' | 'reads' | 'never'
  /** The bundle in force could not be kept for the next start. */
  readonly onNotKept: (error: Error) => void
}

/** First wait after a failure; doubled with each further one, up to `pollMaxMs`. */
const RETRY_MS = 100
/** Shortest time from one long poll to the next, for services that answer at once instead of waiting. */
const LONG_POLL_PAUSE_MS = 1000

/**
 * Bundles over HTTP, by the protocol of OPA's bundle service: polled at random moments, or waited for where the
 * service says that it can hold a request; the last bundle in force is kept on disk.
 *
 * @see https://www.openpolicyagent.org/docs/management-bundles#bundle-service-api
 */
export function createBundleService(options: BundleServiceOptions): BundleSource {
  const { config, token, clock, keep, onNotKept } = options
  const location = serviceUrl(config, config.resource).href
  const kept = keptBundle(config.directory, location, config.maxBytes)
  const closing = new AbortController()
  const history = new SourceHistory(() => clock.nowMs())
  let etag: string | undefined
  let longPoll = false
  let failures = 0
  let timer: NodeJS.Timeout | undefined

  const waitMs = (): number => (longPoll && etag !== undefined ? (config.longPollMs ?? 0) : 0)
  const pollDelayMs = (): number => between(config.pollMinMs, config.pollMaxMs)
  const schedule = (reload: () => Promise<Taking>, delayMs: number): void => {
    timer = setTimeout(() => void look(reload), delayMs)
    timer.unref()
  }
  const look = async (reload: () => Promise<Taking>): Promise<void> => {
    const startedMs = clock.monotonicMs()
    const holds = waitMs() > 0
    const failuresBefore = failures
    const taking = await reload()
    if (closing.signal.aborted) return
    if (failures > failuresBefore) return schedule(reload, retryDelayMs(failures, config.pollMaxMs))
    // A refused bundle would come back at once: only a version in force is worth waiting beside.
    const waits = (holds || waitMs() > 0) && taking !== 'rejected'
    const pauseMs = LONG_POLL_PAUSE_MS - (clock.monotonicMs() - startedMs)
    schedule(reload, waits ? Math.max(0, pauseMs) : pollDelayMs())
  }

  return {
    async read() {
      history.asked()
      try {
        const fetched = await fetchBundle({ config, token, etag, waitMs: waitMs(), signal: closing.signal })
        failures = 0
        history.answered(fetched.bytes !== undefined, fetched.bytes === undefined ? 304 : 200)
        longPoll = fetched.longPoll ?? longPoll
        return fetched.bytes && { bytes: fetched.bytes, version: fetched.etag }
      } catch (error) {
        failures += 1
        history.failed(error instanceof BundleError ? error.httpStatus : undefined)
        throw error
      }
    },
    async taken({ bytes, version }, changed) {
      etag = version
      // A service without versions sends the same bundle again and again.
      if (keep !== 'always' || !changed) return
      try {
        await kept.write(bytes)
      } catch (cause) {
        onNotKept(new Error(`the bundle cannot be kept in ${config.directory}`, { cause }))
      }
    },
    kept: async () => (keep === 'never' ? undefined : kept.read()),
    follow: (reload) => {
      if (failures > 0) schedule(reload, retryDelayMs(failures, config.pollMaxMs))
      else schedule(reload, waitMs() > 0 ? 0 : pollDelayMs())
    },
    status: () => ({ kind: 'service', location, ...history.times() }),
    [Symbol.dispose]() {
      closing.abort()
      clearTimeout(timer)
    },
  }
}

/** Exponential, and random, so that a fleet does not come back to its service as one. */
function retryDelayMs(failures: number, maxMs: number): number {
  const delayMs = Math.min(maxMs, RETRY_MS * 2 ** Math.min(failures - 1, 30))
  return between(delayMs / 2, delayMs)
}

function between(minMs: number, maxMs: number): number {
  return minMs + Math.random() * (maxMs - minMs)
}
