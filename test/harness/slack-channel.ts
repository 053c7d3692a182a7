import { ApprovalService } from '../../gateway/approvals/approval-service.ts'
import type { Approval, ApprovalId } from '../../gateway/approvals/approval.ts'
import type { NotifyConfig, SlackAppConfig } from '../../gateway/config/notify-config.ts'
import type { ChannelAnswer, ControlAnswer, ControlRequest } from '../../gateway/control/control.ts'
import { systemClock } from '../../gateway/lib/clock.ts'
import { approvalNews } from '../../gateway/notify/approval-news.ts'
import type { ChannelResult } from '../../gateway/notify/channel.ts'
import { openNotifier } from '../../gateway/notify/open-notifier.ts'
import { SlackApps } from '../../gateway/notify/slack/open-slack-app.ts'
import { messagesOf } from '../../gateway/notify/slack/posted-messages.ts'
import { slackRoutes } from '../../gateway/notify/slack/slack-routes.ts'
import { createEmbeddedChannelStore } from '../../gateway/store/embedded-channel-store.ts'
import type { SlackMessage } from '../../connectors/slack/fake/world.ts'
import { until } from './until.ts'
import { EVERYBODY_IS_KNOWN } from './approval.ts'
import { openEmbeddedApprovals } from './embedded-approvals.ts'
import { anApproval } from './news.ts'
import {
  APP,
  REVIEW_CHANNEL,
  SLACK_SECRET,
  SLACK_TOKEN,
  TEAM,
  startSlackWorkspace,
} from './slack-workspace.ts'
import type { SlackRequest, SlackWorkspace } from './slack-workspace.ts'
import type { VirtualClock } from './virtual-clock.ts'

export const ESCALATION_CHANNEL = 'C0GENERAL'

export interface SlackChannel extends AsyncDisposable {
  readonly workspace: SlackWorkspace
  readonly service: ApprovalService
  /** Of the store of approvals; messages of Slack have the system's. */
  readonly clock: VirtualClock
  /** What happened to approvals, the refused votes too. */
  readonly events: readonly { readonly kind: string; readonly why?: string; readonly by?: string }[]
  /** What became of each message that arrived. */
  readonly results: readonly ChannelResult[]
  readonly failures: readonly unknown[]
  /** Asks people, about the call of `anApproval` unless told otherwise. */
  ask(more?: Parameters<typeof anApproval>[0]): Promise<Approval>
  /** The message about an approval, once this gateway knows that it stands there. */
  message(channel?: string): Promise<SlackMessage>
  /** Posts what Slack sends. */
  post(request: SlackRequest): Promise<ChannelAnswer>
}

export interface SlackChannelOptions {
  readonly app?: Partial<SlackAppConfig>
  readonly environment?: Readonly<Record<string, string>>
  readonly control?: (request: ControlRequest) => Promise<ControlAnswer>
  readonly answerWithinMs?: number
  /** Breaks the memory of the channel. */
  readonly forgetful?: boolean
}

/** The Slack channel with real approvals in a file, and Slack's stand-in on the other side. */
export async function startSlackChannel(options: SlackChannelOptions = {}): Promise<SlackChannel> {
  await using stack = new AsyncDisposableStack()
  const workspace = stack.use(await startSlackWorkspace())
  const { store, file, clock } = stack.use(await openEmbeddedApprovals())
  const environment = { SLACK_TOKEN, SLACK_SECRET, ...options.environment }
  const config = configOf(workspace, options.app)
  const channelStore = createEmbeddedChannelStore({ file, clock: systemClock })
  if (options.forgetful === true) channelStore.claim = () => Promise.reject(new Error('the store is away'))
  const events: { kind: string; why?: string; by?: string }[] = []
  const results: ChannelResult[] = []
  const failures: unknown[] = []
  const notifier = stack.use(
    openNotifier({
      deployment: 'toolgate',
      environment,
      clock: systemClock,
      store: channelStore,
      lookup: (id) => service.lookup(id),
      onOpened: () => undefined,
      onEvent: (_target, event) => void (event.type === 'failed' && failures.push(event.cause)),
      onUntold: () => undefined,
    }),
  )
  let asked = 0
  const service = new ApprovalService({
    store,
    people: EVERYBODY_IS_KNOWN,
    config: { maxPending: 100, maxPendingPerAgent: 100 },
    newId: () => `01980000-0000-7000-8000-${String((asked += 1)).padStart(12, '0')}` as ApprovalId,
    onFull: () => undefined,
    onEvent: (event) => {
      events.push({
        kind: event.kind,
        ...(event.kind === 'vote_refused' && { why: event.why, by: event.ballot.person.id }),
      })
      const news = approvalNews(event)
      if (news !== undefined) notifier.notify(news)
    },
  })
  notifier.prepare(config)()
  const apps = stack.use(new SlackApps(environment))
  apps.prepare(config.slack)()
  const routes = slackRoutes({
    app: () => apps.current,
    approvals: service,
    control: options.control ?? (() => Promise.resolve({ status: 404, body: {} })),
    store: channelStore,
    clock: systemClock,
    ...(options.answerWithinMs !== undefined && { answerWithinMs: options.answerWithinMs }),
    onResult: (result) => void results.push(result),
    onFailure: (cause) => void failures.push(cause),
  })
  const owned = stack.move()
  return {
    workspace,
    service,
    clock,
    events,
    results,
    failures,
    async ask(more = {}) {
      const { kind, subject } = anApproval(more)
      const { terms } = anApproval(more)
      const answer = await service.request({
        kind,
        subject: { ...subject, binding: String(asked).padStart(64, 'b') },
        demand: {
          ...terms,
          escalateAfterMs: 300_000,
          answerWithinMs: 900_000,
        },
      })
      if (answer.kind === 'full') throw new Error('too many approvals')
      return answer.approval
    },
    async message(channel = REVIEW_CHANNEL) {
      const known = async (): Promise<boolean> => {
        const posted = await messagesOf(channelStore, anApproval().id)
        return posted.some((each) => each.channel === channel)
      }
      await until(known)
      return workspace.messages(channel)[0] as SlackMessage
    },
    async post({ path, headers, body }) {
      const route = routes.find((each) => each.path === path)
      if (route === undefined) throw new Error(`no route ${path}`)
      return route.answer({
        path,
        untrustedHeaders: Object.entries(headers).flat(),
        untrustedBodyBase64: Buffer.from(body).toString('base64'),
      })
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function configOf({ fake }: SlackWorkspace, app: Partial<SlackAppConfig> = {}): NotifyConfig {
  const target = (channel: string, groups: readonly string[]) => ({
    events: [],
    groups,
    webhook: undefined,
    pagerduty: undefined,
    slack: { channel },
  })
  return {
    queue: { limitEvents: 100, giveUpMs: 60_000 },
    voteSenders: {},
    targets: {
      review: target(REVIEW_CHANNEL, ['devsecops-change-review']),
      escalation: target(ESCALATION_CHANNEL, ['security-on-call']),
    },
    slack: {
      url: `${fake.origin}/api`,
      timeoutMs: 5_000,
      allowAddresses: ['127.0.0.0/8'],
      caFile: undefined,
      teamId: TEAM,
      appId: APP,
      token: { source: 'env', name: 'SLACK_TOKEN' },
      signingSecrets: [{ source: 'env', name: 'SLACK_SECRET' }],
      people: {
        U0OMAR: { person: 'omar@zyx.example', groups: ['devsecops-change-review', 'kill-switch'] },
        U0IDA: { person: 'ida@zyx.example', groups: ['devsecops-change-review'] },
        U0DANA: { person: 'dana@zyx.example', groups: ['devsecops-change-review', 'security-on-call'] },
        U0SEC: { person: 'sec@zyx.example', groups: ['security-on-call'] },
      },
      lockGroups: ['kill-switch'],
      ...app,
    },
  }
}
