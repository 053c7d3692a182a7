import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { startUpstream, type Upstream } from '../harness/upstream.ts'

/** What no answer may show. */
export const SECRET = '123-45-6789'
const CUSTOMER = `{"id":9007199254740993, "ssn": "${SECRET}", "accounts":[{"iban":"${SECRET}"},{"iban":"${SECRET}","x":1.50}]}`
/** What is left of the customer when what policy names is redacted. */
export const REDACTED =
  '{"id":9007199254740993, "ssn": "[redacted]", "accounts":[{"iban":"[redacted]"},{"iban":"[redacted]","x":1.50}]}'
const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' }

const send = (
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
  body: string | Buffer,
  status = 200,
) => void response.writeHead(status, headers).end(body)

/** What the upstream does, by the id of the customer asked for. */
const BEHAVIOURS: Readonly<Record<string, (response: ServerResponse) => void>> = {
  json: (response) =>
    send(
      response,
      { ...JSON_TYPE, etag: '"v1"', 'content-digest': 'sha-256=:AAAA:', 'accept-ranges': 'bytes' },
      CUSTOMER,
    ),
  pieces: (response) => {
    response.writeHead(200, JSON_TYPE).flushHeaders()
    let at = 0
    const next = (): void => {
      if (at >= CUSTOMER.length) response.end()
      else response.write(CUSTOMER.slice(at, (at += 7)), () => setImmediate(next))
    }
    next()
  },
  missing: (response) => send(response, JSON_TYPE, CUSTOMER, 404),
  twice: (response) => send(response, JSON_TYPE, `{"ssn":"${SECRET}","ssn":"${SECRET}"}`),
  escaped: (response) => send(response, JSON_TYPE, String.raw`{"s\u0073n":"${SECRET}"}`),
  none: (response) => send(response, { 'content-length': '0' }, ''),
  nobody: (response) => void response.writeHead(204, { etag: '"v1"' }).end(),
  unchanged: (response) => void response.writeHead(304, { etag: '"v1"' }).end(),
  html: (response) => send(response, { 'content-type': 'text/html' }, `<p>${SECRET}</p>`),
  untyped: (response) => send(response, {}, CUSTOMER),
  lines: (response) => send(response, JSON_TYPE, `{"a":1}\n{"ssn":"${SECRET}"}\n`),
  events: (response) => {
    // Never ends by itself.
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(`data: ${CUSTOMER}\n\n`)
  },
  gzip: (response) => send(response, { ...JSON_TYPE, 'content-encoding': 'gzip' }, gzipSync(CUSTOMER)),
  odd: (response) =>
    send(response, { ...JSON_TYPE, 'content-encoding': 'gzip, identity, compress' }, CUSTOMER),
  utf16: (response) =>
    send(
      response,
      { 'content-type': 'application/json; charset=utf-16le' },
      Buffer.from(CUSTOMER, 'utf16le'),
    ),
  utf7: (response) =>
    send(response, { 'content-type': 'application/json; charset=utf-7' }, `{"+AHMAcwBu-":"${SECRET}"}`),
  types: (response) =>
    void response
      .writeHead(200, ['content-type', 'application/json', 'content-type', 'text/plain'])
      .end(CUSTOMER),
  part: (response) => send(response, { ...JSON_TYPE, 'content-range': 'bytes 0-9/99' }, `"${SECRET}"`, 206),
  large: (response) => send(response, JSON_TYPE, `{"ssn":"${SECRET}","x":"${'x'.repeat(4 * 1024 * 1024)}"}`),
  broken: (response) => {
    response.writeHead(200, { ...JSON_TYPE, 'content-length': '1000' }).write(CUSTOMER)
    setImmediate(() => response.destroy())
  },
  small: (response) => send(response, JSON_TYPE, '{"a":1}'),
  growing: (response) => {
    response.writeHead(200, JSON_TYPE).write('{"a":"0123456789"')
    setTimeout(() => response.end(`,"b":"${'x'.repeat(100)}"}`), 20)
  },
}

/** An upstream that answers for each customer in a way of its own, and to a payment with a page. */
export function startCustomers(): Promise<Upstream> {
  return startUpstream(({ url = '', method }, response) => {
    const id = url.split('/').at(-1) ?? ''
    const behave = BEHAVIOURS[method === 'POST' ? 'html' : id]
    if (behave === undefined) send(response, JSON_TYPE, '{}', 404)
    else behave(response)
  })
}
