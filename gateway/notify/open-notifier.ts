import type { SecretReference } from '../config/config.ts'
import type { NotifyTargetConfig, OutboundConfig } from '../config/notify-config.ts'
import { createSecretReader } from '../config/secret.ts'
import { createOutbound, type Outbound } from '../egress/outbound.ts'
import type { Clock } from '../lib/clock.ts'
import { Notifier, type NotifierOptions } from './notifier.ts'
import { createPagerDutyTarget } from './pagerduty-target.ts'
import type { NotifyTarget } from './target.ts'
import { createWebhookTarget } from './webhook-target.ts'

export interface OpenNotifierOptions extends Pick<NotifierOptions, 'onEvent' | 'onUntold'> {
  /** What this gateway is called: `audit.deployment`. */
  readonly deployment: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** A target has been opened that did not exist under this name, or was another. */
  readonly onOpened: (name: string) => void
}

/** Tells nobody of anything until a configuration is put in force. */
export function openNotifier(options: OpenNotifierOptions): Notifier {
  return new Notifier({ ...options, openTarget: (name, config) => openTarget(name, config, options) })
}

function openTarget(
  name: string,
  { webhook, pagerduty }: NotifyTargetConfig,
  { deployment, environment, clock, onOpened }: OpenNotifierOptions,
): NotifyTarget {
  onOpened(name)
  const readSecret = createSecretReader(environment)
  const reader = (reference: SecretReference) => () => readSecret(reference)
  const reach = (kind: string, config: OutboundConfig): Outbound =>
    createOutbound({ config, path: `notify.targets.${name}.${kind}` })
  if (webhook !== undefined)
    return createWebhookTarget({
      outbound: reach('webhook', webhook),
      deployment,
      token: webhook.token && reader(webhook.token),
      signingSecrets: webhook.signingSecrets.map(reader),
      view: webhook.view,
      clock,
    })
  if (pagerduty !== undefined)
    return createPagerDutyTarget({
      outbound: reach('pagerduty', pagerduty),
      deployment,
      routingKey: reader(pagerduty.routingKey),
    })
  throw new TypeError(`the target ${name} names no place`)
}
