import { startAdmin, type Admin, type AdminOptions } from '../../gateway/admin/admin.ts'
import type { AdminSources } from '../../gateway/admin/resources.ts'
import { createControlPlane } from '../../gateway/control/control-plane.ts'
import { systemClock } from '../../gateway/lib/clock.ts'
import type { Refusal } from '../../gateway/refusal.ts'

export interface TestAdmin extends Admin {
  /** Why tokens were refused, as the log is told. */
  readonly refused: readonly Refusal[]
}

/** An admin listener on loopback, any port, that shows nothing and has nothing to control but what is given. */
export async function startTestAdmin(
  options: Partial<AdminOptions> = {},
  sources: Partial<AdminSources> = {},
): Promise<TestAdmin> {
  const refused: Refusal[] = []
  const admin = await startAdmin(
    {
      host: '127.0.0.1',
      port: 0,
      token: undefined,
      externalOrigins: [],
      tls: undefined,
      people: { issuers: [], certificates: [], operatorGroups: [] },
      dpop: {
        algorithms: ['ES256'],
        maxAgeMs: 60_000,
        maxSkewMs: 10_000,
        nonce: 'off',
        nonceSecret: undefined,
      },
      clock: systemClock,
      events: {
        refused: (refusal) => void refused.push(refusal),
        identity: {
          keysLoaded: () => undefined,
          keysFailed: () => undefined,
          tokenLookedUp: () => undefined,
          unboundTokenAccepted: () => undefined,
        },
      },
      ...options,
    },
    {
      readiness: () => ({}),
      metrics: () => Promise.resolve({ contentType: 'text/plain', text: '' }),
      status: () => ({}),
      config: () => ({}),
      ...createControlPlane({ routes: [], channels: [], onFault: () => undefined }),
      ...sources,
    },
  )
  return { ...admin, refused }
}
