import { readFileSync, statSync } from 'node:fs'
import type { SecretReference } from '../config/config.ts'
import { fingerprintOf, watchFile } from '../lib/watch-file.ts'
import { Secret } from './secret.ts'

const SECRET_LIMIT_BYTES = 64 * 1024
const POLL_MS = 10_000

/** What may stand in a header without meaning anything else there (RFC 9110 §5.5); no line break above all. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]+$/

export type Environment = Readonly<Record<string, string | undefined>>

export type SecretReading =
  | { readonly ok: true; readonly secret: Secret }
  /** Why there is none; never a part of what was read. */
  | {
      readonly ok: false
      readonly reason: 'missing' | 'unreadable' | 'empty' | 'too_large' | 'not_a_field_value'
    }

/** A secret as it stands now. */
export interface SecretSource extends Disposable {
  current(): SecretReading
}

export interface SecretSourceOptions {
  readonly environment: Environment
  /** Called after the value changed, appeared or went away. */
  readonly onChange: () => void
  /** How often a file is looked at whatever the watcher says; 10 s by default. */
  readonly pollMs?: number
}

/**
 * Reads a secret and, from a file, follows it: Kubernetes swaps a symlink beside the file, so the folder is watched
 * and the file is looked at on a timer too. The file is the truth: emptied or removed, the secret is gone. Reads are
 * synchronous and small, so there is never more than one at a time.
 */
export function createSecretSource(reference: SecretReference, options: SecretSourceOptions): SecretSource {
  const { environment, onChange, pollMs = POLL_MS } = options
  const seen = reference.source === 'env' ? '' : fingerprintOf(reference.name)
  let reading = readSecret(reference, environment)
  if (reference.source === 'env') return { current: () => reading, [Symbol.dispose]: () => undefined }
  const reload = (): void => {
    const fresh = readSecret(reference, environment)
    if (sameReading(reading, fresh)) return
    reading = fresh
    onChange()
  }
  const watcher = watchFile(reference.name, reload, { seen, pollMs })
  return { current: () => reading, [Symbol.dispose]: () => watcher[Symbol.dispose]() }
}

/** Reads a secret once; one line break at its end is not part of it. */
export function readSecret({ source, name }: SecretReference, environment: Environment): SecretReading {
  const text = source === 'env' ? fromEnvironment(name, environment) : fromFile(name)
  if (typeof text !== 'string') return { ok: false, reason: text.reason }
  const value = text.replace(/\r?\n$/, '')
  if (value === '') return { ok: false, reason: 'empty' }
  return FIELD_VALUE.test(value)
    ? { ok: true, secret: new Secret(value) }
    : { ok: false, reason: 'not_a_field_value' }
}

type Failure = Extract<SecretReading, { ok: false }>

function fromEnvironment(name: string, environment: Environment): string | Failure {
  return Object.hasOwn(environment, name)
    ? (environment[name] ?? { ok: false, reason: 'missing' })
    : { ok: false, reason: 'missing' }
}

function fromFile(path: string): string | Failure {
  try {
    const stats = statSync(path, { throwIfNoEntry: false })
    if (stats === undefined) return { ok: false, reason: 'missing' }
    // Reading a pipe or a device would block the process.
    if (!stats.isFile()) return { ok: false, reason: 'unreadable' }
    if (stats.size > SECRET_LIMIT_BYTES) return { ok: false, reason: 'too_large' }
    return readFileSync(path, 'utf8')
  } catch {
    return { ok: false, reason: 'unreadable' }
  }
}

function sameReading(one: SecretReading, other: SecretReading): boolean {
  if (one.ok && other.ok) return one.secret.reveal() === other.secret.reveal()
  return !one.ok && !other.ok && one.reason === other.reason
}
