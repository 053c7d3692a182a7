import { setTimeout as delay } from 'node:timers/promises'
import type { SlackAppConfig } from '../../config/notify-config.ts'
import type { ChannelAnswer, ChannelRequest, ChannelRoute } from '../../control/control.ts'
import type { Clock } from '../../lib/clock.ts'
import { HeaderList } from '../../lib/header-list.ts'
import type { ChannelStore } from '../../store/channel-store.ts'
import { channelAnswer, type ChannelRefusal, type ChannelResult, refusalAnswer } from '../channel.ts'
import { answerClick, type AnswerClickOptions } from './answer-click.ts'
import { answerCommand, type AnswerCommandOptions } from './answer-command.ts'
import {
  readClick,
  readCommand,
  type SlackClick,
  type SlackCommand,
  type SlackSender,
} from './read-message.ts'
import { MAX_AGE_MS, MAX_SKEW_MS, verifySignature } from './signature.ts'
import type { SlackApi } from './slack-api.ts'

/** The app as it is configured now. */
export interface SlackApp {
  readonly config: Pick<SlackAppConfig, 'teamId' | 'appId' | 'people' | 'lockGroups'>
  /** Each is asked for at every request, so that it can rotate. */
  readonly signingSecrets: readonly (() => string)[]
  readonly api: SlackApi
}

export interface SlackRoutesOptions {
  /** `undefined` where no app is configured. */
  readonly app: () => SlackApp | undefined
  readonly approvals: AnswerClickOptions['approvals']
  readonly control: AnswerCommandOptions['control']
  readonly store: ChannelStore
  readonly clock: Pick<Clock, 'nowMs'>
  /** Slack shows an error to whoever is not answered within three seconds; two by default. */
  readonly answerWithinMs?: number
  /** What became of a message; what it wanted only where Slack vouches for it. */
  readonly onResult: (result: ChannelResult, wanted: SlackClick | SlackCommand | undefined) => void
  readonly onFailure: (cause: unknown) => void
}

const ANSWER_WITHIN_MS = 2_000
const TELL_WITHIN_MS = 10_000

/** `slack/interactions` takes clicks on buttons, `slack/commands` the slash command. */
export function slackRoutes(options: SlackRoutesOptions): readonly ChannelRoute[] {
  return [
    { path: 'slack/interactions', answer: (request) => answerInteraction(request, options) },
    { path: 'slack/commands', answer: (request) => answerSlashCommand(request, options) },
  ]
}

async function answerInteraction(
  request: ChannelRequest,
  options: SlackRoutesOptions,
): Promise<ChannelAnswer> {
  const taken = await take(request, options, readClick)
  if ('status' in taken) return taken
  const { app, message: click } = taken
  const { approvals, store, answerWithinMs = ANSWER_WITHIN_MS, onFailure } = options
  const counting = toldOf(answerClick(click, { approvals, store, app: app.config }), options, {
    wanted: click,
    failed: 'Your answer could not be counted. Please click again.',
  })
  const telling = counting.then((text) => tellAlone(app.api, click, text)).catch(onFailure)
  // Whoever clicked is told what became of it in Slack; all that the answer says is that it arrived.
  await Promise.race([telling, delay(answerWithinMs, undefined, { ref: false })])
  return { status: 200, contentType: 'text/plain', body: '' }
}

async function answerSlashCommand(
  request: ChannelRequest,
  options: SlackRoutesOptions,
): Promise<ChannelAnswer> {
  const taken = await take(request, options, readCommand)
  if ('status' in taken) return taken
  const { app, message: command } = taken
  const { control, answerWithinMs = ANSWER_WITHIN_MS, onFailure } = options
  const asked = toldOf(answerCommand(command, { app: app.config, control }), options, {
    wanted: command,
    failed: 'That could not be done. Please see whether it was, and try again.',
  })
  const inTime = await Promise.race([asked, delay(answerWithinMs, undefined, { ref: false })])
  if (inTime === undefined) void asked.then((text) => tellAlone(app.api, command, text)).catch(onFailure)
  return channelAnswer(200, {
    response_type: 'ephemeral',
    text: inTime ?? 'This takes longer than it should …',
  })
}

/** What whoever sent a message is told of it; what became of it is counted, whatever that was. */
function toldOf(
  answering: Promise<{ readonly result: ChannelResult; readonly text: string }>,
  { onResult, onFailure }: Pick<SlackRoutesOptions, 'onResult' | 'onFailure'>,
  { wanted, failed }: { readonly wanted: SlackClick | SlackCommand; readonly failed: string },
): Promise<string> {
  return answering.then(
    ({ result, text }) => {
      onResult(result, wanted)
      return text
    },
    (cause: unknown) => {
      onResult('unavailable', wanted)
      onFailure(cause)
      return failed
    },
  )
}

/** A message that is from our app in our workspace, and is taken for the first time; or the answer that says why not. */
async function take<T extends SlackClick | SlackCommand>(
  { untrustedHeaders, untrustedBodyBase64 }: ChannelRequest,
  { app: current, store, clock, onResult, onFailure }: SlackRoutesOptions,
  read: (headers: HeaderList, body: Buffer) => T | undefined,
): Promise<ChannelAnswer | { readonly app: SlackApp; readonly message: T }> {
  const refuse = (why: ChannelRefusal, wanted?: T): ChannelAnswer => {
    onResult(why, wanted)
    return refusalAnswer(why)
  }
  const app = current()
  if (app === undefined) return refusalAnswer('unconfigured')
  const headers = new HeaderList(untrustedHeaders)
  const body = Buffer.from(untrustedBodyBase64, 'base64')
  const secrets = app.signingSecrets.map((secret) => secret())
  const signature = verifySignature({ headers, body }, secrets, clock.nowMs())
  if (!signature.ok) return refuse(signature.fault)
  const message = read(headers, body)
  if (message === undefined) return refuse('unreadable')
  try {
    // Before anything is put on record, so that nobody can fill the record with one message.
    const isFirst = await store.claim(`slack:${signature.key}`, MAX_AGE_MS + 2 * MAX_SKEW_MS)
    if (!isFirst) return refuse('replayed', message)
  } catch (cause) {
    onFailure(cause)
    return refuse('unavailable', message)
  }
  return isOurs(message, app) ? { app, message } : refuse('foreign', message)
}

function isOurs({ teamId, userTeamId, appId }: SlackSender, { config }: SlackApp): boolean {
  return teamId === config.teamId && userTeamId === config.teamId && appId === config.appId
}

async function tellAlone(api: SlackApi, { channel, userId }: SlackSender, text: string): Promise<void> {
  if (text === '') return
  const parameters = { channel, user: userId, text }
  await api.call('chat.postEphemeral', parameters, AbortSignal.timeout(TELL_WITHIN_MS))
}
