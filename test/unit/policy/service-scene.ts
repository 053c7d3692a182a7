import { join } from 'node:path'
import { expect, vi } from 'vitest'
import type { BundleServiceConfig } from '../../../gateway/config/policy-config.ts'
import type { Policy, PolicyEvent, PolicyOptions } from '../../../gateway/policy/policy.ts'
import { systemClock } from '../../../gateway/lib/clock.ts'
import { createPolicy } from '../../../gateway/policy/policy.ts'
import { type BundleServer, serviceConfig } from '../../harness/bundle-server.ts'
import { compileRules, FRIEND_RULES } from '../../harness/opa.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../../harness/temporary-directory.ts'

const CLOSED_RULES = `
decision := {"allow": false, "risk": 0, "reasons": reasons, "obligations": []}
reasons contains {"code": "hours.closed", "rule": "R043", "detail": ""}
`

/** Bundles that allow the friend, allow nobody anything, and allow a call by nobody, which no gateway takes. */
export const [open, closed, allowsNobody] = await Promise.all([
  compileRules(FRIEND_RULES, { revision: 'open' }),
  compileRules(CLOSED_RULES, { revision: 'closed' }),
  compileRules('decision := {"allow": true, "risk": 0, "reasons": [], "obligations": []}'),
])

/** A gateway's folder for what a service gave, and policies that keep theirs in it. */
export interface ServiceScene extends AsyncDisposable {
  readonly folder: TemporaryDirectory
  /** Path of the folder of kept bundles, which does not exist yet. */
  readonly kept: string
  /** What the policies told, in order. */
  readonly events: readonly PolicyEvent[]
  policyFrom(
    server: Pick<BundleServer, 'url'>,
    more?: Partial<BundleServiceConfig>,
    options?: Partial<PolicyOptions>,
  ): Promise<Policy>
}

export async function setServiceScene(): Promise<ServiceScene> {
  const folder = await temporaryDirectory()
  const kept = join(folder.path, 'kept')
  const events: PolicyEvent[] = []
  return {
    folder,
    kept,
    events,
    policyFrom: (server, more = {}, options = {}) =>
      createPolicy({
        bundlePath: '/nowhere',
        service: serviceConfig(server.url, kept, more),
        watch: true,
        memoryLimitPages: 2048,
        clock: systemClock,
        onEvent: (event) => void events.push(event),
        ...options,
      }),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

export const inForce = (policy: Policy, revision: string) =>
  vi.waitFor(() => expect(policy.revision).toBe(revision), { timeout: 8000, interval: 10 })
export const refused = (policy: Policy, problem: string) =>
  vi.waitFor(() => expect(policy.status().rejected?.problem).toBe(problem), { timeout: 8000, interval: 10 })
