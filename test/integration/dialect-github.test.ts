import { Octokit } from '@octokit/rest'
import { describe, expect, it } from 'vitest'
import { REFUSALS } from '../../gateway/refusal.ts'
import type { RefusalCode } from '../../gateway/refusal.ts'
import { startRefusingServer } from '../harness/refusing-server.ts'

/** Without the one that only who asked for it gets (RFC 7240 §4.1), which no SDK does. */
const codes = (Object.keys(REFUSALS) as RefusalCode[]).filter((code) => code !== 'approval.pending')
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

describe('Octokit, refused', () => {
  it.each(codes)('raises one RequestError for %s and sends nothing again', async (code) => {
    await using server = await startRefusingServer('github')
    server.answerWith({ code, detail: 'which check failed', retryAfterMs: 1500 })
    const octokit = new Octokit({ baseUrl: server.origin, log: quiet })
    const call = octokit.pulls.merge({ owner: 'zyx', repo: 'platform-infra', pull_number: 991 })
    const error: unknown = await call.catch((thrown: unknown) => thrown)

    const { status, title, retry } = REFUSALS[code]
    expect(error).toMatchObject({
      name: 'HttpError',
      status,
      message: expect.stringContaining(title) as string,
      response: {
        headers: { 'toolgate-call-id': 'call-1', ...(retry === 'after' ? { 'retry-after': '2' } : {}) },
        data: { type: `urn:toolgate:refusal:${code}`, title, status, code, call_id: 'call-1', reasons: [] },
      },
    })
    expect(JSON.stringify(error)).not.toContain('which check failed')
    expect(server.count()).toBe(1)
  })
})
