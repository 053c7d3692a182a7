import type { EventFamily, NotifyEventType } from '../notify/event.ts'
import type { SecretReference } from './config.ts'

/** Who is told of what, and through which channels people answer. */
export interface NotifyConfig {
  readonly targets: Readonly<Record<string, NotifyTargetConfig>>
  readonly slack: SlackAppConfig | undefined
  /** Who may send votes as signed webhooks, by name. */
  readonly voteSenders: Readonly<Record<string, VoteSenderConfig>>
  readonly queue: {
    /** Events that wait for one target at most; the oldest gives way to the newest. */
    readonly limitEvents: number
    /** How old an event may get while its target takes nothing. */
    readonly giveUpMs: number
  }
}

/** One place that is told; exactly one of `webhook`, `pagerduty`, `slack`. */
export interface NotifyTargetConfig {
  /** Types of events, or whole families; empty for all. */
  readonly events: readonly (NotifyEventType | EventFamily)[]
  /** Groups that are told here of what is their business; empty for all. */
  readonly groups: readonly string[]
  readonly webhook: NotifyWebhookConfig | undefined
  readonly pagerduty: PagerDutyConfig | undefined
  /** A channel of the workspace of `notify.slack`, by its id. */
  readonly slack: { readonly channel: string } | undefined
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

/** The Slack app of this gateway, and who people of its workspace are. */
export interface SlackAppConfig extends OutboundConfig {
  readonly teamId: string
  readonly appId: string
  readonly token: SecretReference
  /** Any of them signs requests: two while the app changes over. */
  readonly signingSecrets: readonly SecretReference[]
  /** By the id of the user in Slack. */
  readonly people: Readonly<Record<string, ChannelPersonConfig>>
  /** Whoever is in one of them may set, list and release locks; nobody may without any. */
  readonly lockGroups: readonly string[]
}

/** A service that people answer through, and that vouches for who they are. */
export interface VoteSenderConfig {
  /** Any of them signs messages: two while the sender changes over. */
  readonly signingSecrets: readonly SecretReference[]
  /** By what the sender calls them. */
  readonly people: Readonly<Record<string, ChannelPersonConfig>>
}

export interface ChannelPersonConfig {
  /** As issuers name them: compared with who asked. */
  readonly person: string
  readonly groups: readonly string[]
}
