import { expect, it } from 'vitest'
import { startTestAdmin } from '../harness/admin.ts'
import { connectRaw } from '../harness/raw-client.ts'

/** Its request timeout, and how often Node looks, and room for a busy machine. */
const LATEST_MS = 10_000 + 1_000 + 10_000

it.each([
  ['a header section', 'POST /admin/v1/locks HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: '],
  [
    'a body',
    'POST /channels/slack/interactions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\npayload=',
  ],
])(
  'the admin listener does not wait for %s that never ends, and serves others meanwhile',
  async (_what, beginning) => {
    await using admin = await startTestAdmin()
    await using slow = await connectRaw(admin.port)
    slow.send(beginning)
    expect((await fetch(`http://127.0.0.1:${admin.port}/healthz`)).status).toBe(200)
    const startedMs = performance.now()
    await slow.closed
    expect(performance.now() - startedMs).toBeLessThan(LATEST_MS)
  },
  LATEST_MS + 5_000,
)
