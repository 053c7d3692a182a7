import type { ApprovalService } from './approvals/approval-service.ts'
import type { ChannelRefused } from './audit/changes.ts'
import type { Audit } from './audit/open-audit.ts'
import type { SecretReference } from './config/config.ts'
import type { NotifyConfig } from './config/notify-config.ts'
import { createSecretReader } from './config/secret.ts'
import type { ChannelRoute, ControlPlane } from './control/control.ts'
import type { Clock } from './lib/clock.ts'
import type { ChannelResult } from './notify/channel.ts'
import type { Notifier } from './notify/notifier.ts'
import { openNotifier } from './notify/open-notifier.ts'
import type { SlackClick, SlackCommand } from './notify/slack/read-message.ts'
import { SlackApps } from './notify/slack/open-slack-app.ts'
import { personOf } from './notify/slack/slack-people.ts'
import { type SlackApp, slackRoutes } from './notify/slack/slack-routes.ts'
import { type VoteSender, webhookVotesRoute } from './notify/webhook-votes.ts'
import { openChannelStore } from './store/open-channel-store.ts'
import type { ControlPlace } from './store/open-control.ts'
import type { Telemetry } from './telemetry/telemetry.ts'

export interface OpenChannelsOptions {
  /** What this gateway is called: `audit.deployment`. */
  readonly deployment: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly place: ControlPlace
  readonly approvals: Pick<ApprovalService, 'lookup' | 'vote'>
  readonly events: Telemetry['events']
  readonly audit: Pick<Audit, 'changes'>
}

/** How people are told, and how they answer from where they are. */
export interface Channels extends AsyncDisposable {
  readonly notifier: Notifier
  /** What Slack and others may post; commands are asked of `control`. */
  routes(control: ControlPlane['control']): readonly ChannelRoute[]
  /**
   * Opens what a configuration names; the result puts it in force.
   *
   * @throws ConfigError when something cannot be reached as it says; what is in force stays so
   */
  prepare(config: NotifyConfig): () => void
}

/** Tells nobody and takes nothing until a configuration is put in force. */
export function openChannels(options: OpenChannelsOptions): Channels {
  const { environment, clock, approvals, events } = options
  const store = openChannelStore(options.place, clock)
  const apps = new SlackApps(environment)
  const notifier = openNotifier({
    ...options,
    store,
    lookup: (id) => approvals.lookup(id),
    onOpened: events.notifyOpened,
    onEvent: events.notifyQueue,
    onUntold: events.notifyUntold,
  })
  let senders: readonly VoteSender[] = []
  return {
    notifier,
    routes: (control) => [
      ...slackRoutes({
        app: () => apps.current,
        approvals,
        control,
        store,
        clock,
        onResult: (result, wanted) => recordSlack(options, result, wanted, apps.current?.config),
        onFailure: (cause) => events.channelFailed('slack', cause),
      }),
      webhookVotesRoute({
        senders: () => senders,
        approvals,
        store,
        clock,
        onResult: (result, sender) => events.channelMessage('webhook', result, sender),
        onFailure: (cause) => events.channelFailed('webhook', cause),
      }),
    ],
    prepare: (config) => {
      const tellAnew = notifier.prepare(config)
      const answerAnew = apps.prepare(config.slack)
      return () => {
        tellAnew()
        answerAnew()
        senders = sendersOf(config, environment)
      }
    },
    [Symbol.asyncDispose]: async () => {
      await notifier[Symbol.asyncDispose]()
      await apps[Symbol.asyncDispose]()
    },
  }
}

function recordSlack(
  { events, audit }: Pick<OpenChannelsOptions, 'events' | 'audit'>,
  result: ChannelResult,
  wanted: SlackClick | SlackCommand | undefined,
  app: SlackApp['config'] | undefined,
): void {
  events.channelMessage('slack', result, wanted?.userId ?? '')
  const refused = wanted && refusedInSlack(result, wanted, app)
  if (refused !== undefined) audit.changes.channelRefused(refused)
}

/** What is on record nowhere else: a vote that does not count is, with its approval. */
function refusedInSlack(
  result: ChannelResult,
  wanted: SlackClick | SlackCommand,
  app: SlackApp['config'] | undefined,
): ChannelRefused | undefined {
  const isCommand = 'command' in wanted
  if (result !== 'foreign' && !(result === 'not_entitled' && isCommand)) return undefined
  // Whoever is from elsewhere is nobody here, whatever their id.
  const people = result === 'foreign' ? {} : (app?.people ?? {})
  const { person } = personOf({ ...wanted, teamId: wanted.userTeamId }, { people })
  return { person, wanted: isCommand ? `${wanted.command} ${wanted.text}` : '', result }
}

function sendersOf(
  { voteSenders }: NotifyConfig,
  environment: OpenChannelsOptions['environment'],
): readonly VoteSender[] {
  const readSecret = createSecretReader(environment)
  const reader = (reference: SecretReference) => () => readSecret(reference)
  return Object.entries(voteSenders).map(([name, { signingSecrets, people }]) => ({
    name,
    signingSecrets: signingSecrets.map(reader),
    people,
  }))
}
