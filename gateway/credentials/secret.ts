import { createHmac, randomBytes } from 'node:crypto'
import { inspect } from 'node:util'

/** A plain hash of a weak secret could be guessed offline from a log; this key never leaves the process. */
const versionKey = randomBytes(32)

/** A secret that does not print: in a log, an error or a dump of configuration it shows as `[secret]`. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The value itself, for the one place that sends it. */
  reveal(): string {
    return this.#value
  }

  /** Tells this value from others while the process lives, and nothing else. */
  version(): string {
    return createHmac('sha256', versionKey).update(this.#value).digest('hex').slice(0, 12)
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [inspect.custom](): string {
    return '[secret]'
  }
}
