import type { PeopleConfig } from '../config/admin-config.ts'
import type { Config } from '../config/config.ts'
import { createSecretReader } from '../config/secret.ts'
import { systemClock } from '../lib/clock.ts'
import { printable } from '../lib/scrub.ts'
import type { Refusal } from '../refusal.ts'
import { startAdmin, type Admin, type AdminEvents } from './admin.ts'
import type { AdminSources } from './resources.ts'

export interface AdminSurroundings {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Takes lines for whoever runs the gateway. */
  readonly complain: (text: string) => void
}

/** Whoever sends bad tokens does not choose how fast the log grows. */
const COMPLAINT_INTERVAL_MS = 1_000

/** The admin listener that the configuration asks for. */
export function openAdmin(
  { listen: { admin }, identity: { dpop } }: Config,
  { environment, complain }: AdminSurroundings,
  sources: AdminSources,
): Promise<Admin> {
  const token = admin.token === undefined ? undefined : createSecretReader(environment)(admin.token)
  return startAdmin({ ...admin, token, dpop, clock: systemClock, events: complaints(complain) }, sources)
}

function complaints(complain: (text: string) => void): AdminEvents {
  let quietUntilMs = -Infinity
  return {
    refused({ code, detail = '' }: Refusal) {
      const nowMs = systemClock.monotonicMs()
      if (nowMs < quietUntilMs) return
      quietUntilMs = nowMs + COMPLAINT_INTERVAL_MS
      complain(`toolgate: the admin listener refused a token: ${code} ${printable(detail, 256)}\n`)
    },
    identity: {
      keysLoaded: () => undefined,
      keysFailed: ({ issuer, cause }) =>
        complain(`toolgate: the keys of ${issuer}, for people, cannot be had: ${String(cause)}\n`),
      tokenLookedUp: () => undefined,
      unboundTokenAccepted: () => undefined,
    },
  }
}

/** After the configuration was read anew: whom it names; those of before stay where that cannot be done. */
export async function reloadPeople(
  admin: Admin,
  people: PeopleConfig,
  { complain }: Pick<AdminSurroundings, 'complain'>,
): Promise<void> {
  try {
    await admin.usePeople(people)
  } catch (cause) {
    complain(`toolgate: the people of the admin listener stay as they were: ${String(cause)}\n`)
  }
}

/** After a change of the certificates: what cannot be used is said, and the old ones stay. */
export function reloadAdminTls(admin: Admin, { complain }: Pick<AdminSurroundings, 'complain'>): void {
  try {
    admin.reloadTls()
  } catch (cause) {
    complain(`toolgate: the certificates of the admin listener cannot be used: ${String(cause)}\n`)
  }
}
