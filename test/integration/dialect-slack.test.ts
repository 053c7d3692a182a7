import { ErrorCode, LogLevel, WebClient, WebClientEvent } from '@slack/web-api'
import type { WebClientOptions } from '@slack/web-api'
import { describe, expect, it } from 'vitest'
import { REFUSALS } from '../../gateway/refusal.ts'
import type { RefusalCode } from '../../gateway/refusal.ts'
import { startRefusingServer } from '../harness/refusing-server.ts'

/** Without the one that only who asked for it gets (RFC 7240 §4.1), which no SDK does. */
const codes = (Object.keys(REFUSALS) as RefusalCode[]).filter((code) => code !== 'approval.pending')
const CHALLENGE = ['WWW-Authenticate', 'DPoP error="invalid_token"']
const MESSAGE = { channel: 'devsecops-change-review', text: 'Review done' }

/** The client as anybody makes it: its retry policy of ten tries in half an hour is on. */
function clientOf(origin: string, options: WebClientOptions = {}): WebClient {
  return new WebClient('xoxb-token', {
    slackApiUrl: `${origin}/api/`,
    logLevel: LogLevel.ERROR,
    logger: quiet,
    ...options,
  })
}

const quiet = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  setLevel: () => {},
  getLevel: () => LogLevel.ERROR,
  setName: () => {},
}

describe('The Slack SDK, refused', () => {
  it.each(codes.filter((code) => code !== 'identity.nonce_required'))(
    'raises one platform error for %s and sends nothing again',
    async (code) => {
      await using server = await startRefusingServer('slack')
      server.answerWith({ code, detail: 'which check failed', retryAfterMs: 90_000 })
      const error: unknown = await clientOf(server.origin)
        .apiCall('chat.postMessage', MESSAGE)
        .catch((thrown: unknown) => thrown)

      const { status, title, retry } = REFUSALS[code]
      expect(error).toMatchObject({
        code: ErrorCode.PlatformError,
        data: {
          ok: false,
          error: expect.stringMatching(/^[a-z_]+$/) as string,
          response_metadata: {
            messages: [expect.stringContaining(`[ERROR] ${title} (${code}, call call-1)`)],
            ...(retry === 'after' ? { retryAfter: 90 } : {}),
          },
          type: `urn:toolgate:refusal:${code}`,
          status,
          code,
          call_id: 'call-1',
        },
      })
      expect(JSON.stringify(error)).not.toContain('which check failed')
      expect(server.count()).toBe(1)
    },
  )

  it('waits out a short rate limit as it does for Slack, then succeeds', async () => {
    await using server = await startRefusingServer('slack')
    server.answerWith({ code: 'limit.rate', retryAfterMs: 300 })
    const client = clientOf(server.origin)
    client.on(WebClientEvent.RATE_LIMITED, () => server.answerWith(undefined))
    await expect(client.apiCall('chat.postMessage', MESSAGE)).resolves.toMatchObject({ ok: true })
    expect(server.count()).toBe(2)
  })

  it('raises a rate limit as its own error where waiting is switched off', async () => {
    await using server = await startRefusingServer('slack')
    server.answerWith({ code: 'limit.rate', retryAfterMs: 300 })
    const client = clientOf(server.origin, { rejectRateLimitedCalls: true })
    await expect(client.apiCall('chat.postMessage', MESSAGE)).rejects.toMatchObject({
      code: ErrorCode.RateLimitedError,
      retryAfter: 1,
    })
    expect(server.count()).toBe(1)
  })

  it('keeps the challenge of a failed authentication where a signing fetch can read it', async () => {
    await using server = await startRefusingServer('slack')
    server.answerWith({ code: 'identity.token_invalid', headers: CHALLENGE })
    const response = await fetch(`${server.origin}/api/chat.postMessage`, { method: 'POST', body: 'text=hi' })
    expect(response.status).toBe(200)
    expect(response.headers.get('www-authenticate')).toBe('DPoP error="invalid_token"')
    expect(await response.json()).toMatchObject({ ok: false, error: 'invalid_auth', status: 401 })
  })

  it('leaves a demanded nonce to the fetch that signs proofs, with 401 as RFC 9449 §9 has it', async () => {
    await using server = await startRefusingServer('slack')
    server.answerWith({
      code: 'identity.nonce_required',
      headers: ['WWW-Authenticate', 'DPoP error="use_dpop_nonce"', 'DPoP-Nonce', 'n-1'],
    })
    const nonces: (string | null)[] = []
    const signing = async (url: string | URL, init?: RequestInit): Promise<Response> => {
      const response = await fetch(url, init)
      if (response.status !== 401) return response
      nonces.push(response.headers.get('dpop-nonce'))
      server.answerWith(undefined)
      return fetch(url, init)
    }
    const client = clientOf(server.origin, { fetch: signing })
    await expect(client.apiCall('chat.postMessage', MESSAGE)).resolves.toMatchObject({ ok: true })
    expect(nonces).toEqual(['n-1'])
    expect(server.count()).toBe(2)
  })
})
