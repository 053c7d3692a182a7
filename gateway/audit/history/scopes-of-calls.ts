import { type CallRecord, mainEntry } from '../call-record.ts'

/**
 * What a lock can be on so that it stops one of these calls, as it is written in `lock` entries. A lock on `writes`, or on
 * older tokens alone, is among them: whether it let a read pass is for the reader to see.
 */
export class ScopesOfCalls {
  readonly #scopes = new Set<string>(['all', 'writes'])
  #firstMs = Number.POSITIVE_INFINITY
  #lastMs = Number.NEGATIVE_INFINITY

  add(record: CallRecord): void {
    const { found, outcome } = record
    this.#firstMs = Math.min(this.#firstMs, found.timeMs)
    this.#lastMs = Math.max(this.#lastMs, outcome === undefined ? found.timeMs : Date.parse(outcome.time))
    const entry = mainEntry(record)
    const { who, what, declared } = entry ?? {}
    if (declared !== undefined && declared.task !== '') this.#scopes.add(`task:${declared.task}`)
    if (what !== undefined) {
      this.#scopes.add(`connector:${what.connector}`)
      this.#scopes.add(`operation:${what.operation}`)
    }
    if (who === undefined) return
    this.#scopes.add(`tenant:${who.tenant}`)
    this.#scopes.add(`key:${who.key}`)
    this.#scopes.add(`token:${who.token}`)
    this.#issued('agent', who.issuer, who.agent)
    this.#issued('principal', who.issuer, who.principal)
    // Who delegated is stopped with what was done on its behalf, whichever of the two it is.
    for (const actor of who.act) {
      this.#issued('agent', who.issuer, actor)
      this.#issued('principal', who.issuer, actor)
    }
  }

  get names(): readonly string[] {
    return [...this.#scopes]
  }

  /** From the arrival of the first call to the end of the last; endless where there is none. */
  get period(): { readonly fromMs: number; readonly toMs: number } {
    return { fromMs: this.#firstMs, toMs: this.#lastMs }
  }

  #issued(kind: 'agent' | 'principal', issuer: string, name: string): void {
    this.#scopes.add(`${kind}:${name}`)
    this.#scopes.add(`${kind}:${issuer}#${name}`)
  }
}
