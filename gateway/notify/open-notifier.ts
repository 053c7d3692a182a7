import type { SecretReference } from '../config/config.ts'
import type { NotifyConfig, NotifyTargetConfig } from '../config/notify-config.ts'
import { createSecretReader } from '../config/secret.ts'
import { createOutbound } from '../egress/outbound.ts'
import type { Clock } from '../lib/clock.ts'
import type { ChannelStore } from '../store/channel-store.ts'
import { Notifier, type NotifierOptions } from './notifier.ts'
import { createPagerDutyTarget } from './pagerduty-target.ts'
import { openSlackApi } from './slack/open-slack-app.ts'
import { createSlackTarget, type SlackTargetOptions } from './slack/slack-target.ts'
import type { NotifyTarget } from './target.ts'
import { createWebhookTarget } from './webhook-target.ts'

export interface OpenNotifierOptions extends Pick<NotifierOptions, 'onEvent' | 'onUntold'> {
  /** What this gateway is called: `audit.deployment`. */
  readonly deployment: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** Where is remembered what was said where. */
  readonly store: ChannelStore
  readonly lookup: SlackTargetOptions['lookup']
  /** A target has been opened that did not exist under this name, or was another. */
  readonly onOpened: (name: string) => void
}

/** Tells nobody of anything until a configuration is put in force. */
export function openNotifier(options: OpenNotifierOptions): Notifier {
  const { onOpened } = options
  return new Notifier({
    ...options,
    openTarget: (name, target, config) => {
      onOpened(name)
      return openTarget(name, target, config, options)
    },
  })
}

function openTarget(
  name: string,
  { webhook, pagerduty, slack }: NotifyTargetConfig,
  { slack: app }: NotifyConfig,
  { deployment, environment, clock, store, lookup }: OpenNotifierOptions,
): NotifyTarget {
  const readSecret = createSecretReader(environment)
  const reader = (reference: SecretReference) => () => readSecret(reference)
  const path = `notify.targets.${name}`
  if (webhook !== undefined)
    return createWebhookTarget({
      outbound: createOutbound({ config: webhook, path: `${path}.webhook` }),
      deployment,
      token: webhook.token && reader(webhook.token),
      signingSecrets: webhook.signingSecrets.map(reader),
      view: webhook.view,
      clock,
    })
  if (pagerduty !== undefined)
    return createPagerDutyTarget({
      outbound: createOutbound({ config: pagerduty, path: `${path}.pagerduty` }),
      deployment,
      routingKey: reader(pagerduty.routingKey),
    })
  if (slack !== undefined && app !== undefined)
    return createSlackTarget({
      api: openSlackApi(app, environment),
      channel: slack.channel,
      store,
      lookup,
    })
  throw new TypeError(`the target ${name} names no place`)
}
