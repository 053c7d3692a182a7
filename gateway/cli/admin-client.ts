import { readFileSync, statSync } from 'node:fs'
import { request as requestPlain, type IncomingMessage } from 'node:http'
import { request as requestTls } from 'node:https'
import { isSafeSource } from '../config/loopback.ts'
import { printable } from '../lib/scrub.ts'
import { parseStrictJson } from '../lib/strict-json.ts'
import { RefusedError, type Surroundings, UsageError } from './command.ts'

/** Options of every command that asks a running gateway; for `parseArgs`. */
export const ADMIN_OPTIONS = {
  admin: { type: 'string' },
  'token-file': { type: 'string' },
  ca: { type: 'string' },
  cert: { type: 'string' },
  key: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const

/** What a command's usage says of {@link ADMIN_OPTIONS}. */
export const ADMIN_USAGE = `  --admin ORIGIN            admin listener (TOOLGATE_ADMIN, or http://127.0.0.1:9090)
  --token-file FILE         your access token, or the operators' token (else the variable TOOLGATE_ADMIN_TOKEN)
  --cert FILE --key FILE    your client certificate and its key, PEM
  --ca FILE                 authority of the admin listener's certificate, PEM
  --json                    the answer as JSON
`

export const ADMIN_EXIT_CODES =
  'Exit codes: 0 done · 1 failed, or no gateway answered · 2 wrong usage · 3 refused by the gateway\n'

/** As `parseArgs` reads {@link ADMIN_OPTIONS}. */
export interface AdminOptionValues {
  readonly admin?: string | undefined
  readonly 'token-file'?: string | undefined
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

/** Each takes a path below `/admin/v1/` and answers its JSON; {@link RefusedError} where the gateway says no. */
export interface AdminClient {
  get(path: string): Promise<unknown>
  post(path: string, body: unknown): Promise<unknown>
  delete(path: string, body?: unknown): Promise<unknown>
}

const DEFAULT_ADMIN = 'http://127.0.0.1:9090'
const TIMEOUT_MS = 30_000
const ANSWER_LIMIT_BYTES = 16 * 1_024 * 1_024
const FILE_LIMIT_BYTES = 262_144
const MAX_TOKEN_CHARS = 16_384
const MAX_DEPTH = 32

interface Asked {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly body?: unknown
}

interface Reply {
  readonly status: number
  readonly value: unknown
}

/** @throws {UsageError} where the options cannot be used, before anything is sent */
export function createAdminClient(values: AdminOptionValues, { environment }: Surroundings): AdminClient {
  const origin = originOf(values.admin ?? environment['TOOLGATE_ADMIN'] ?? DEFAULT_ADMIN)
  const token = tokenOf(values, environment)
  if (token !== undefined && !isSafeSource(origin.href)) {
    throw new UsageError(`a token is not sent to ${origin.origin}: that needs https, or this machine`)
  }
  if ((values.cert === undefined) !== (values.key === undefined)) {
    throw new UsageError('--cert and --key belong together')
  }
  const tls = {
    ...(values.ca !== undefined && { ca: read(values.ca) }),
    ...(values.cert !== undefined && { cert: read(values.cert) }),
    ...(values.key !== undefined && { key: read(values.key) }),
  }
  if (origin.protocol === 'http:' && Object.keys(tls).length > 0) {
    throw new UsageError(`certificates need an https origin, not ${origin.origin}`)
  }
  const ask = async (asked: Asked): Promise<unknown> => {
    const { status, value } = await exchange(asked, origin, token, tls).catch((cause: unknown) => {
      throw new Error(`no admin listener of a gateway answers at ${origin.origin} (--admin)`, { cause })
    })
    if (status < 300) return value
    const reason = reasonOf(value, status)
    throw status >= 400 && status < 500 ? new RefusedError(reason, value) : new Error(reason)
  }
  return {
    get: (path) => ask({ method: 'GET', path }),
    post: (path, body) => ask({ method: 'POST', path, body }),
    delete: (path, body) => ask({ method: 'DELETE', path, body }),
  }
}

function originOf(text: string): URL {
  const url = URL.parse(text)
  const isOrigin =
    url !== null && /^https?:$/.test(url.protocol) && url.pathname === '/' && url.username === ''
  if (!isOrigin || url.search !== '' || url.hash !== '') {
    throw new UsageError(`${printable(text, 256)} is not an origin such as ${DEFAULT_ADMIN}`)
  }
  return url
}

function tokenOf(values: AdminOptionValues, environment: Surroundings['environment']): string | undefined {
  const file = values['token-file']
  const token = file === undefined ? environment['TOOLGATE_ADMIN_TOKEN'] : read(file).toString('utf8').trim()
  if (token === undefined || (token === '' && file === undefined)) return undefined
  // Never shown: what is wrong with it may be that it is something else, and secret.
  if (!/^[\x21-\x7e]+$/.test(token) || token.length > MAX_TOKEN_CHARS) {
    throw new UsageError(`${file ?? 'TOOLGATE_ADMIN_TOKEN'} holds no token`)
  }
  return token
}

function read(path: string): Buffer {
  try {
    if (statSync(path).size > FILE_LIMIT_BYTES) throw new Error('it is too large')
    return readFileSync(path)
  } catch (cause) {
    throw new UsageError(`${path} cannot be read`, { cause })
  }
}

/** Follows no redirect: a token is for the listener that was named. */
async function exchange(
  { method, path, body }: Asked,
  origin: URL,
  token: string | undefined,
  tls: Readonly<Record<string, Buffer>>,
): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
  const send = origin.protocol === 'https:' ? requestTls : requestPlain
  const request = send(new URL(`/admin/v1/${path}`, origin), {
    method,
    ...tls,
    agent: false,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: {
      accept: 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(bytes && { 'content-type': 'application/json', 'content-length': bytes.length }),
    },
  })
  request.on('response', resolve).on('error', reject).end(bytes)
  const reply = await promise
  return { status: reply.statusCode ?? 0, value: await readReply(reply) }
}

async function readReply(reply: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of reply as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > ANSWER_LIMIT_BYTES) throw new Error('its answer is too large')
    chunks.push(chunk)
  }
  const reading = parseStrictJson(Buffer.concat(chunks), MAX_DEPTH)
  if (!reading.ok)
    throw new Error(`its answer with status ${reply.statusCode} is no JSON, so it is no gateway's`)
  return reading.value
}

/** Title and detail of a problem; they may quote what somebody else wrote. */
function reasonOf(value: unknown, status: number): string {
  const { title, detail } = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >
  const said = [title, detail].filter((part) => typeof part === 'string' && part !== '').join(': ')
  return `${said === '' ? 'the gateway said no' : printable(said, 1_024)} (${status})`
}
