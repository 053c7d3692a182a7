// Drains, missing secrets and wanted approvals said that waiting helps but not for how long: clients that found no
// Retry-After came back at once.
import { expect, test } from 'vitest'
import { renderRefusal, type DialectName } from '../../gateway/dialects/dialect.ts'
import type { CallId } from '../../gateway/exchange.ts'
import { REFUSALS, type RefusalCode } from '../../gateway/refusal.ts'
import { retryAfterSeconds } from '../../gateway/dialects/problem.ts'

const waiting = (Object.keys(REFUSALS) as RefusalCode[]).filter((code) => REFUSALS[code].retry === 'after')
const dialects: readonly DialectName[] = ['github', 'slack', 'atlassian', 'problem']

test.each(waiting)('%s names a time to wait where the stage gave none', (code) => {
  expect(retryAfterSeconds({ code })).toBeGreaterThanOrEqual(1)
  for (const dialect of dialects) {
    const context = { refusal: { code }, callId: 'call-1' as CallId, limits: [], nowMs: 0 }
    expect(JSON.parse(renderRefusal(dialect, context).body.toString())).toMatchObject({
      retry_after: retryAfterSeconds({ code }),
    })
  }
})
