import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { DialectName } from '../../gateway/dialects/dialect.ts'
import type { CallId } from '../../gateway/exchange.ts'
import { createReply } from '../../gateway/listen/create-reply.ts'
import type { Refusal } from '../../gateway/refusal.ts'

export interface RefusingServer extends AsyncDisposable {
  readonly origin: string
  /** Requests seen since it started. */
  readonly count: () => number
  /** What every request gets from now on; `undefined` answers `{"ok": true}`. */
  readonly answerWith: (refusal: Refusal | undefined) => void
}

/** A server that refuses every request in one dialect, by the gateway's own reply. */
export async function startRefusingServer(dialect: DialectName): Promise<RefusingServer> {
  let refusal: Refusal | undefined
  let count = 0
  const server = createServer((request, response) => {
    count += 1
    const reply = createReply({
      request,
      response,
      dialect,
      callId: `call-${count}` as CallId,
      closing: () => false,
      rateLimitHeaders: () => [],
      nowMs: () => Date.now(),
    })
    request.resume().once('end', () => {
      if (refusal === undefined) response.end('{"ok":true}')
      else reply.refuse(refusal, { arrival: undefined as never })
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    count: () => count,
    answerWith: (next) => {
      refusal = next
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}
