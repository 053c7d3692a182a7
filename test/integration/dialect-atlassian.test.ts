import { createV2Client, isApiError as isConfluenceError } from 'confluence.js'
import { createCloudClient, isApiError as isJiraError } from 'jira.js'
import { describe, expect, it } from 'vitest'
import { REFUSALS } from '../../gateway/refusal.ts'
import type { RefusalCode } from '../../gateway/refusal.ts'
import { startRefusingServer } from '../harness/refusing-server.ts'

/** Without the one that only who asked for it gets (RFC 7240 §4.1), which no SDK does. */
const codes = (Object.keys(REFUSALS) as RefusalCode[]).filter((code) => code !== 'approval.pending')
const auth = { type: 'basic', email: 'agent@zyx.example', apiToken: 'token' } as const

describe('jira.js, refused', () => {
  it.each(codes)('raises one ApiError for %s and sends nothing again', async (code) => {
    await using server = await startRefusingServer('atlassian')
    server.answerWith({ code, detail: 'which check failed', retryAfterMs: 1500 })
    const jira = createCloudClient({ host: server.origin, auth })
    const error: unknown = await jira.issues
      .getIssue({ issueIdOrKey: 'CHG-18422' })
      .catch((thrown: unknown) => thrown)
    expect(isJiraError(error)).toBe(true)
    expect(error).toMatchObject(typedError(code))
    expect(server.count()).toBe(1)
  })
})

describe('confluence.js, refused', () => {
  it.each(codes)('raises one ApiError for %s and sends nothing again', async (code) => {
    await using server = await startRefusingServer('atlassian')
    server.answerWith({ code, detail: 'which check failed', retryAfterMs: 1500 })
    const confluence = createV2Client({ host: server.origin, auth })
    const error: unknown = await confluence.page.getPageById({ id: 12345 }).catch((thrown: unknown) => thrown)
    expect(isConfluenceError(error)).toBe(true)
    expect(error).toMatchObject(typedError(code))
    expect(server.count()).toBe(1)
  })
})

/** What both SDKs make of the refusal; internal detail must be nowhere in it. */
function typedError(code: RefusalCode): object {
  const { status, title, retry } = REFUSALS[code]
  return {
    status,
    message: expect.not.stringContaining('which check failed') as string,
    body: {
      errorMessages: [expect.stringContaining(title)],
      errors: {},
      type: `urn:toolgate:refusal:${code}`,
      status,
      code,
      call_id: 'call-1',
      reasons: [],
      ...(retry === 'after' ? { retry_after: 2 } : {}),
    },
    ...(status === 429 ? { retryAfterMs: 2000 } : {}),
  }
}
