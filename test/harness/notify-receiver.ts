import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ReceivedNotice {
  readonly headers: IncomingHttpHeaders
  readonly path: string
  readonly text: string
  readonly body: Readonly<Record<string, unknown>>
}

export interface NotifyReceiver extends AsyncDisposable {
  readonly url: string
  /** What arrived, whatever it was answered. */
  readonly received: readonly ReceivedNotice[]
}

type NotifyAnswer = number | { readonly status: number; readonly headers: Readonly<Record<string, string>> }

/** Takes what `notify` posts; `answer` gives the status of each request, by its number from 1. */
export async function startNotifyReceiver(
  answer: (number: number) => NotifyAnswer = () => 202,
): Promise<NotifyReceiver> {
  const received: ReceivedNotice[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const text = Buffer.concat(await request.toArray()).toString()
      const body = JSON.parse(text) as Readonly<Record<string, unknown>>
      const given = answer(received.push({ headers: request.headers, path: request.url ?? '', text, body }))
      const { status, headers } = typeof given === 'number' ? { status: given, headers: {} } : given
      response.writeHead(status, headers).end()
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
