import { createHash } from 'node:crypto'
import {
  APPROVAL_STATES,
  type ApprovalId,
  type ApprovalKind,
  type ApprovalState,
} from '../approvals/approval.ts'

/** Where Redis keeps approvals; one hash tag, so that a cluster keeps all that one script touches together. */
export class ApprovalKeys {
  /** What an id stands behind. */
  readonly approvals: string
  readonly due: string
  readonly ended: string
  readonly channel: string
  /** Everything that ids are found by, `ended` first; all but that of one agent, which only its approval names. */
  readonly indexes: readonly string[]
  readonly #root: string

  constructor(keyPrefix: string) {
    this.#root = `${keyPrefix}{control}:approvals`
    this.approvals = `${this.#root}:id:`
    this.due = `${this.#root}:due`
    this.ended = `${this.#root}:ended`
    this.channel = this.#root
    const pending = [this.pendingOfKind('approval'), this.pendingOfKind('review')]
    this.indexes = [this.ended, this.due, ...pending, ...APPROVAL_STATES.map((state) => this.state(state))]
  }

  approval(id: ApprovalId): string {
    return `${this.approvals}${id}`
  }

  open(openKey: string): string {
    return `${this.#root}:open:${digest(openKey)}`
  }

  pendingOf(pendingKey: string): string {
    return `${this.#root}:pending:${digest(pendingKey)}`
  }

  pendingOfKind(kind: ApprovalKind): string {
    return `${this.#root}:pending-${kind}s`
  }

  state(state: ApprovalState): string {
    return `${this.#root}:state:${state}`
  }
}

/** Names of agents and tenants are of any length, and of any characters. */
function digest(key: string): string {
  return createHash('sha256').update(key, 'utf16le').digest('base64url')
}
