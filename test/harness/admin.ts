import { startAdmin, type Admin, type AdminOptions } from '../../gateway/admin/admin.ts'
import type { AdminSources } from '../../gateway/admin/resources.ts'
import type { Actor } from '../../gateway/control/actor.ts'
import { createControlPlane } from '../../gateway/control/control-plane.ts'
import { systemClock } from '../../gateway/lib/clock.ts'
import type { Refusal } from '../../gateway/refusal.ts'
import type { Pki } from './pki.ts'

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
      people: { issuers: [], certificates: [], operatorGroups: [], barred: [] },
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

/** What is to be controlled, where only who asks matters: `actors` are those who posted to `locks`. */
export function recordingPlane() {
  const actors: Actor[] = []
  const plane = createControlPlane({
    routes: [
      {
        method: 'POST',
        pattern: 'locks',
        answer({ actor }) {
          actors.push(actor)
          return { status: 200, body: {} }
        },
      },
    ],
    channels: [],
    onFault: () => undefined,
  })
  return { plane, actors }
}

/** TLS with a certificate of this authority; client certificates are asked for, not demanded. */
export function adminTls(pki: Pki): NonNullable<AdminOptions['tls']> {
  const { certFile, keyFile } = pki.server()
  return {
    certificateFile: certFile,
    keyFile,
    clientCaFile: pki.caFile,
    crlFile: undefined,
    clientCertificate: 'request',
  }
}
