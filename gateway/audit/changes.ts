import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { ConfigError } from '../config/problem.ts'
import type { ApprovalEvent } from '../approvals/approval-event.ts'
import type { Person } from '../control/actor.ts'
import type { Clock } from '../lib/clock.ts'
import { printable } from '../lib/scrub.ts'
import { canonicalJson } from '../policy/bundles/canonical-json.ts'
import type { BundleRevision } from '../policy/bundles/open-bundles.ts'
import type { Policy, PolicyEvent } from '../policy/policy.ts'
import type { AuditLog } from './audit-log.ts'
import { detailField } from './call-fields.ts'
import { isoTime } from '../lib/iso-time.ts'
import type { ChannelEntry, ConfigEntry, PolicyEntry } from './change-entry.ts'
import type { BundleFields } from './entry-fields.ts'
import type { Detection } from '../detections/detection.ts'
import { detectionEntry } from './detection-entry.ts'
import { encodeEntry, type AuditEntry } from './entry.ts'
import { approvalEntry } from './approval-entry.ts'
import type { KeyedTokens } from './keyed-tokens.ts'
import { actorFields, type LockChange, lockEntry } from './lock-entry.ts'

const PROBLEMS_LIMIT = 32

export interface ChangesOptions {
  readonly log: Pick<AuditLog, 'append'>
  readonly clock: Pick<Clock, 'nowMs'>
  /** Told when a change could not be put on record. */
  readonly onLost: (cause: unknown) => void
}

/** Somebody who may not have what they wanted through a channel. */
export interface ChannelRefused {
  readonly person: Person
  /** As they wrote it; empty for a click. */
  readonly wanted: string
  readonly result: ChannelEntry['result']
}

/**
 * Puts on record what was in force when: which configuration and bundle decided, since when, and what was turned
 * down. What cannot be written is reported; only the release of a lock waits for its entry.
 */
export class Changes {
  readonly #options: ChangesOptions
  #shown: Readonly<Record<string, unknown>> | undefined

  constructor(options: ChangesOptions) {
    this.#options = options
  }

  /** `shown` is the configuration without secrets, as `showConfig` gives it; `policy` decides under it. */
  configLoaded(
    shown: Readonly<Record<string, unknown>>,
    policy: Pick<Policy, 'digest' | 'revision' | 'bundles'>,
  ): void {
    const before = this.#shown ?? shown
    const names = new Set([...Object.keys(before), ...Object.keys(shown)])
    this.#shown = shown
    void this.#append({
      ...bundleFields(policy.bundles),
      changed: [...names].filter((name) => !isDeepStrictEqual(before[name], shown[name])).sort(),
      digest: `sha256:${createHash('sha256')
        .update(canonicalJson(JSON.stringify(shown)))
        .digest('hex')}`,
      policy: { digest: policy.digest, revision: printable(policy.revision, 128) },
      state: 'loaded',
      time: this.#time(),
      type: 'config',
      v: 1,
    } satisfies ConfigEntry)
  }

  /** Of a mistake in the file only its path: the reason may quote what somebody typed in the wrong place. */
  configRejected(cause: unknown): void {
    const known = cause instanceof ConfigError ? cause.problems : undefined
    void this.#append({
      detail: known === undefined ? messageOf(cause) : '',
      problems: (known ?? []).slice(0, PROBLEMS_LIMIT).map(({ path }) => printable(path, 256)),
      state: 'rejected',
      time: this.#time(),
      type: 'config',
      v: 1,
    } satisfies ConfigEntry)
  }

  policyChanged(event: PolicyEvent): void {
    if (event.type === 'activated') {
      const { digest, revision, bundles } = event
      this.#appendPolicy({
        ...bundleFields(bundles),
        digest,
        revision: printable(revision, 128),
        state: 'activated',
      })
    } else if (event.type === 'rejected') {
      const { bundle, problem, error } = event
      this.#appendPolicy({ bundle, detail: messageOf(error), problem, state: 'rejected' })
    }
  }

  tokenKeyChanged(id: string, before: string): void {
    void this.#append({ before, id, time: this.#time(), type: 'key', use: 'token', v: 1 })
  }

  /** Resolves once it is durable, or cannot be; whether it is. */
  lockChanged(change: LockChange): Promise<boolean> {
    return this.#append(lockEntry(change, this.#options.clock.nowMs()))
  }

  approvalChanged(event: ApprovalEvent, tokens: Pick<KeyedTokens, 'commitmentTo'>): void {
    void this.#append(approvalEntry(event, tokens, this.#options.clock.nowMs()))
  }

  channelRefused({ person, wanted, result }: ChannelRefused): void {
    void this.#append({
      by: actorFields({ kind: 'person', person }),
      detail: detailField(wanted),
      result,
      time: this.#time(),
      type: 'channel',
      v: 1,
    })
  }

  detectionRaised(detection: Detection): void {
    void this.#append(detectionEntry(detection))
  }

  /** The last entry of an orderly end; resolves when it is durable, or cannot be. */
  async stopped(openCalls: number): Promise<void> {
    await this.#append({ open_calls: openCalls, time: this.#time(), type: 'stop', v: 1 })
  }

  #appendPolicy(what: Omit<PolicyEntry, 'time' | 'type' | 'v'>): void {
    void this.#append({ ...what, time: this.#time(), type: 'policy', v: 1 })
  }

  #time(): string {
    return isoTime(this.#options.clock.nowMs())
  }

  async #append(entry: AuditEntry): Promise<boolean> {
    try {
      await this.#options.log.append(encodeEntry(entry), 'strict')
      return true
    } catch (cause) {
      this.#options.onLost(cause)
      return false
    }
  }
}

/** One bundle alone has the digest of the whole. */
function bundleFields(bundles: readonly BundleRevision[]): { readonly bundles?: readonly BundleFields[] } {
  if (bundles.length === 1) return {}
  return {
    bundles: bundles.map(({ digest, name, revision }) => ({
      digest,
      name,
      revision: printable(revision, 128),
    })),
  }
}

function messageOf(cause: unknown): string {
  return detailField(cause instanceof Error ? cause.message : String(cause))
}
