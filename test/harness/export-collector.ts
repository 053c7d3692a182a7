import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ExportRequest {
  readonly headers: IncomingHttpHeaders
  readonly path: string
  readonly body: Buffer
}

export interface ExportCollector extends AsyncDisposable {
  readonly url: string
  /** Requests, whatever they were answered. */
  readonly requests: readonly ExportRequest[]
  /** Ids of the events of requests that were answered 200, in order, repeated ones too. */
  readonly taken: readonly string[]
}

/** Takes what exports post; `answer` gives the status of each request, or `hang` for none at all. */
export async function startExportCollector(
  answer: (request: ExportRequest, number: number) => number | 'hang' = () => 200,
): Promise<ExportCollector> {
  const requests: ExportRequest[] = []
  const taken: string[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const body = Buffer.concat(await request.toArray())
      const seen = { headers: request.headers, path: request.url ?? '', body }
      const status = answer(seen, requests.push(seen))
      if (status === 'hang') return
      if (status === 200) taken.push(...idsIn(body))
      response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end()
    })()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    taken,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Ids of the events in JSON Lines. */
export function idsIn(lines: Buffer | string): string[] {
  return lines
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { id: string }).id)
}
