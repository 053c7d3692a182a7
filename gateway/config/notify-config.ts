import type { EventFamily, NotifyEventType } from '../notify/event.ts'
import type { SecretReference } from './config.ts'

/** Who is told of what, and through which channels people answer. */
export interface NotifyConfig {
  readonly targets: Readonly<Record<string, NotifyTargetConfig>>
  readonly queue: {
    /** Events that wait for one target at most; the oldest gives way to the newest. */
    readonly limitEvents: number
    /** How old an event may get while its target takes nothing. */
    readonly giveUpMs: number
  }
}

/** One place that is told; exactly one of `webhook`, `pagerduty`. */
export interface NotifyTargetConfig {
  /** Types of events, or whole families; empty for all. */
  readonly events: readonly (NotifyEventType | EventFamily)[]
  /** Groups that are told here of what is their business; empty for all. */
  readonly groups: readonly string[]
  readonly webhook: NotifyWebhookConfig | undefined
  readonly pagerduty: PagerDutyConfig | undefined
}

/** How a place is reached: under the same rules as an upstream. */
export interface OutboundConfig {
  readonly url: string
  readonly timeoutMs: number
  /** CIDR ranges beyond public addresses that its name may resolve to. */
  readonly allowAddresses: readonly string[]
  readonly caFile: string | undefined
}

export interface NotifyWebhookConfig extends OutboundConfig {
  readonly token: SecretReference | undefined
  /** Each makes a signature: two while a receiver changes over. */
  readonly signingSecrets: readonly SecretReference[]
  /** Send what approvers are shown, too. */
  readonly view: boolean
}

export interface PagerDutyConfig extends OutboundConfig {
  readonly routingKey: SecretReference
}
