import type { CredentialConfig, SecretReference } from '../config/config.ts'
import { assertNever } from '../lib/assert-never.ts'
import type { Clock } from '../lib/clock.ts'
import { pass, refuse } from '../refusal.ts'
import type { Verdict } from '../refusal.ts'
import type { UpstreamCredential } from './credential.ts'
import type { Redactor } from './redact.ts'
import { createSecretSource } from './secret-source.ts'
import type { Environment, SecretReading } from './secret-source.ts'

/** A credential of one connector that the configuration names, kept ready to be put into a request. */
export interface StaticCredential extends Disposable {
  readonly current: Verdict<UpstreamCredential>
  /** Monotonic milliseconds at which the value in use was read. */
  readonly sinceMs: number
}

export interface StaticCredentialOptions {
  readonly environment: Environment
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly redactor: Pick<Redactor, 'remember'>
  readonly onChange: (current: Verdict<UpstreamCredential>) => void
  readonly pollMs?: number
}

const NONE: UpstreamCredential = { apply: () => undefined, expiresAtMs: undefined, version: '' }

/** Builds the credential anew when its secret changes, never per call. */
export function createStaticCredential(
  connector: string,
  config: CredentialConfig,
  options: StaticCredentialOptions,
): StaticCredential {
  const { environment, clock, redactor, onChange, pollMs } = options
  if (config.type === 'none') {
    return { current: pass(NONE), sinceMs: clock.monotonicMs(), [Symbol.dispose]: () => undefined }
  }
  const { reference, header, valueOf } = shapeOf(config)
  const state = { current: refuse('credential.unavailable') as Verdict<UpstreamCredential>, sinceMs: 0 }
  const build = (reading: SecretReading): void => {
    state.sinceMs = clock.monotonicMs()
    if (!reading.ok) {
      const detail = `${connector}: ${reference.source}:${reference.name} is ${reading.reason}`
      state.current = refuse('credential.unavailable', { detail })
      return
    }
    const value = valueOf(reading.secret.reveal())
    redactor.remember(connector, reading.secret.reveal())
    state.current = pass({
      apply: (headers) => setHeader(headers, header, value),
      expiresAtMs: undefined,
      version: reading.secret.version(),
    })
  }
  const source = createSecretSource(reference, {
    environment,
    onChange: () => {
      build(source.current())
      onChange(state.current)
    },
    ...(pollMs === undefined ? {} : { pollMs }),
  })
  build(source.current())
  return {
    get current() {
      return state.current
    },
    get sinceMs() {
      return state.sinceMs
    },
    [Symbol.dispose]: () => source[Symbol.dispose](),
  }
}

interface Shape {
  readonly reference: SecretReference
  /** In lower case. */
  readonly header: string
  readonly valueOf: (secret: string) => string
}

function shapeOf(config: Exclude<CredentialConfig, { type: 'none' }>): Shape {
  switch (config.type) {
    case 'bearer':
      return { reference: config.token, header: 'authorization', valueOf: (token) => `Bearer ${token}` }
    case 'basic': {
      const { username, password } = config
      // RFC 7617 §2: the first colon ends the user name, so it cannot have one.
      if (username.includes(':')) throw new TypeError('a basic user name has no colon')
      const valueOf = (secret: string): string =>
        `Basic ${Buffer.from(`${username}:${secret}`).toString('base64')}`
      return { reference: password, header: 'authorization', valueOf }
    }
    case 'header':
      return { reference: config.value, header: config.name.toLowerCase(), valueOf: (value) => value }
    default:
      return assertNever(config)
  }
}

function setHeader(headers: string[], name: string, value: string): void {
  for (let index = headers.length - 2; index >= 0; index -= 2) {
    if ((headers[index] as string).toLowerCase() === name) headers.splice(index, 2)
  }
  headers.push(name, value)
}
