import type { CredentialConfig } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import { refuse } from '../refusal.ts'
import type { CredentialHealth, CredentialProvider } from './credential.ts'
import { createRedactor } from './redact.ts'
import type { Environment } from './secret-source.ts'
import { createStaticCredential } from './static-credential.ts'

/** What happens to credentials outside any call. */
interface CredentialEvents {
  /** Another value is in use from now on, or none; `version` is empty and `detail` says why where there is none. */
  credentialChanged(connector: string, version: string, detail: string): void
}

export interface CredentialsOptions {
  readonly connectors: Readonly<Record<string, { readonly credential: CredentialConfig }>>
  readonly environment: Environment
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly events: CredentialEvents
  /** How often secret files are looked at whatever the watcher says; 10 s by default. */
  readonly pollMs?: number
}

export interface Credentials extends CredentialProvider, Disposable {
  /** For log lines and errors: the text without any credential in use or lately in use. */
  redactExact(text: string): string
  health(): readonly CredentialHealth[]
}

/** The credentials of all connectors. Throws a `TypeError` for a configuration that can never give one. */
export function createCredentials(options: CredentialsOptions): Credentials {
  const { connectors, environment, clock, events, pollMs } = options
  const redactor = createRedactor()
  const byConnector = new Map(
    Object.entries(connectors).map(([name, { credential }]) => {
      const made = createStaticCredential(name, credential, {
        environment,
        clock,
        redactor,
        onChange: (current) =>
          current.ok
            ? events.credentialChanged(name, current.value.version, '')
            : events.credentialChanged(name, '', current.refusal.detail ?? ''),
        ...(pollMs === undefined ? {} : { pollMs }),
      })
      return [name, made] as const
    }),
  )
  return {
    get: ({ connector }) =>
      byConnector.get(connector)?.current ??
      refuse('credential.unavailable', { detail: `${connector}: not configured` }),
    redactExact: (text) => redactor.redactExact(text),
    health: () =>
      [...byConnector].map(([connector, { current, sinceMs }]) => ({
        connector,
        available: current.ok,
        version: current.ok ? current.value.version : '',
        ageMs: clock.monotonicMs() - sinceMs,
      })),
    [Symbol.dispose]: () => {
      for (const credential of byConnector.values()) credential[Symbol.dispose]()
    },
  }
}
