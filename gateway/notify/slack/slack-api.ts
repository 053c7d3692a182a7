import type { Outbound } from '../../egress/outbound.ts'
import { parseStrictJson } from '../../lib/strict-json.ts'
import { DeliveryError, errorOfStatus } from '../target.ts'

/** The Web API with the token of one app. */
export interface SlackApi extends AsyncDisposable {
  /** @throws DeliveryError with Slack's own word for what is wrong */
  call(
    method: 'chat.postMessage' | 'chat.postEphemeral' | 'chat.update',
    parameters: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, unknown>>>
}

/** What is wrong with the message itself, or with the one that it would change: the same again is refused again. */
const FINAL: ReadonlySet<string> = new Set([
  'block_mismatch',
  'cant_update_message',
  'edit_window_closed',
  'invalid_arguments',
  'invalid_blocks',
  'invalid_blocks_format',
  'message_not_found',
  'msg_blocks_too_long',
  'msg_too_long',
  'no_text',
  'user_not_in_channel',
])

const ANSWER_DEPTH = 64

/** `token` is asked for at every request, so that it can rotate. */
export function createSlackApi(outbound: Outbound, token: () => string): SlackApi {
  return {
    async call(method, parameters, signal) {
      const { status, retryAfterMs, body } = await outbound.post({
        resource: method,
        headers: {
          'content-type': 'application/json; charset=utf-8',
          authorization: `Bearer ${token()}`,
        },
        body: Buffer.from(JSON.stringify(parameters)),
        signal,
      })
      if (status !== 200) throw errorOfStatus(status, retryAfterMs)
      const answer = readAnswer(body)
      if (answer['ok'] === true) return answer
      const word = String(answer['error'])
        .replaceAll(/[^a-z_]/g, '')
        .slice(0, 64)
      throw new DeliveryError(`was answered ${word}`, FINAL.has(word) ? 'never' : 'later', retryAfterMs)
    },
    [Symbol.asyncDispose]: () => outbound[Symbol.asyncDispose](),
  }
}

function readAnswer(body: Buffer): Readonly<Record<string, unknown>> {
  const reading = parseStrictJson(body, ANSWER_DEPTH)
  if (reading.ok && typeof reading.value === 'object' && reading.value !== null)
    return reading.value as Readonly<Record<string, unknown>>
  throw new DeliveryError('was answered something else than JSON', 'later')
}
