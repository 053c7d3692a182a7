import { parseArgs } from 'node:util'
import { UsageError } from '../cli/command.ts'
import type { Command, ExitCode, Surroundings } from '../cli/command.ts'
import { DEFAULT_PERSONA, PERSONAS } from './personas.ts'
import { createDpopKey, createProof } from './proof.ts'
import { createSigningFetch } from './signing-fetch.ts'
import { createTokenSource, discoverIssuer } from './token-source.ts'
import { readVerdict } from './verdict.ts'
import type { CallVerdict } from './verdict.ts'

const USAGE = `toolgate dev call CONNECTOR METHOD PATH [options]

Gets a token from the development issuer, signs the call with DPoP, sends it through the running gateway and
prints what became of it.

  --as PERSONA        whose call it is (${DEFAULT_PERSONA})
  --data JSON         body, sent as application/json unless a header says otherwise
  --header NAME:VALUE more headers, such as Toolgate-Ticket:CHG-18422; may be repeated
  --gateway ORIGIN    http://127.0.0.1:8080
  --issuer ORIGIN     the one that the gateway's metadata names
  --json              one JSON object instead of text
  --curl              print the call as a curl command instead of making it

Personas:
${[...PERSONAS].map(([name, { description }]) => `  ${name.padEnd(24)}${description}`).join('\n')}

Exit codes: 0 done · 1 failed · 2 wrong usage · 3 refused by the gateway · 4 error of the upstream
`

interface CallRequest {
  readonly url: URL
  readonly gateway: string
  readonly issuer: string | undefined
  readonly persona: string
  readonly method: string
  readonly headers: Headers
  readonly data: string | undefined
  readonly as: 'text' | 'json' | 'curl'
}

export const call: Command = { summary: 'make one signed call', usage: USAGE, run: runCall }

/** `toolgate dev call`. */
export async function runCall(args: readonly string[], { print }: Surroundings): Promise<ExitCode> {
  const call = parseCall(args)
  const key = await createDpopKey()
  const issuer = call.issuer ?? (await discoverIssuer(call.gateway))
  const accessToken = createTokenSource({ issuer, key, persona: call.persona })
  if (call.as === 'curl') {
    const token = await accessToken()
    const proof = await createProof(key, { method: call.method, url: call.url, accessToken: token })
    print(curlCommand(call, token, proof))
    return 0
  }
  const send = createSigningFetch({ gateway: call.gateway, key, accessToken })
  const reply = await send(call.url, {
    method: call.method,
    headers: call.headers,
    ...(call.data === undefined ? {} : { body: call.data }),
  }).catch((cause: unknown) => {
    throw new Error(`no gateway answers at ${call.gateway}; start one with: npm start`, { cause })
  })
  const verdict = await readVerdict(reply)
  print(call.as === 'json' ? `${JSON.stringify(asJson(verdict))}\n` : asText(verdict, reply.statusText))
  return exitCodeOf(verdict)
}

function parseCall(args: readonly string[]): CallRequest {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      as: { type: 'string', default: DEFAULT_PERSONA },
      data: { type: 'string' },
      header: { type: 'string', multiple: true, default: [] },
      gateway: { type: 'string', default: 'http://127.0.0.1:8080' },
      issuer: { type: 'string' },
      json: { type: 'boolean', default: false },
      curl: { type: 'boolean', default: false },
    },
  })
  const [connector, method, path, ...more] = positionals
  if (connector === undefined || method === undefined || path === undefined || more.length > 0) {
    throw new UsageError(
      'a call is CONNECTOR METHOD PATH, such as: github GET /repos/zyx/platform-infra/pulls/991',
    )
  }
  if (!path.startsWith('/')) throw new UsageError(`the path has to begin with /: ${path}`)
  if (!PERSONAS.has(values.as))
    throw new UsageError(`nobody is called ${values.as}; known are ${[...PERSONAS.keys()].join(', ')}`)
  const headers = headersOf(values.header)
  if (values.data !== undefined && !headers.has('content-type'))
    headers.set('Content-Type', 'application/json; charset=utf-8')
  if (!headers.has('user-agent')) headers.set('User-Agent', 'toolgate-dev-call')
  return {
    url: urlOf(values.gateway, connector, path),
    gateway: values.gateway,
    issuer: values.issuer,
    persona: values.as,
    method: method.toUpperCase(),
    headers,
    data: values.data,
    as: values.curl ? 'curl' : values.json ? 'json' : 'text',
  }
}

function urlOf(gateway: string, connector: string, path: string): URL {
  try {
    return new URL(`/${connector}${path}`, gateway)
  } catch (cause) {
    throw new UsageError(`${gateway} is not the origin of a gateway`, { cause })
  }
}

function headersOf(lines: readonly string[]): Headers {
  const headers = new Headers()
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon < 1) throw new UsageError(`a header is NAME:VALUE, not ${line}`)
    headers.append(line.slice(0, colon), line.slice(colon + 1).trim())
  }
  return headers
}

function exitCodeOf({ decision, status, upstreamError }: CallVerdict): ExitCode {
  // Every reply of the gateway says its decision, so something else answered.
  if (decision === undefined)
    throw new Error(`the reply with status ${status} does not come from a Toolgate gateway`)
  if (decision !== 'allow') return 3
  return upstreamError ? 4 : 0
}

function asJson(verdict: CallVerdict): object {
  const { decision, status, callId, code, reasons } = verdict
  return { decision, status, call_id: callId, code, reasons, body: bodyValue(verdict) }
}

function bodyValue({ mediaType, body }: CallVerdict): unknown {
  if (!/[/+]json$/.test(mediaType)) return isText(mediaType) ? body.toString() : body.toString('base64')
  try {
    return JSON.parse(body.toString())
  } catch {
    return body.toString()
  }
}

function isText(mediaType: string): boolean {
  return mediaType.startsWith('text/') || /[./+](json|xml|diff|patch|raw)$/.test(mediaType)
}

function asText(verdict: CallVerdict, statusText: string): string {
  const { decision, status, callId, code, reasons, body, mediaType } = verdict
  const lines = [
    `decision  ${decision ?? 'none'}`,
    `status    ${status} ${statusText}`.trimEnd(),
    `call      ${callId}`,
    ...(code === '' ? [] : [`code      ${code}`]),
    ...reasons.map((reason) => `reason    ${reason.code} (${reason.rule}) ${reason.detail}`.trimEnd()),
  ]
  const value = bodyValue(verdict)
  if (body.length === 0) return `${lines.join('\n')}\n`
  if (typeof value === 'object') return `${lines.join('\n')}\n\n${JSON.stringify(value, null, 2)}\n`
  return `${lines.join('\n')}\n\n${isText(mediaType) ? body.toString().trimEnd() : `${body.length} bytes of ${mediaType}`}\n`
}

/** A proof is for one request within a minute, which the comment says so that nobody wonders at the second run. */
function curlCommand(call: CallRequest, token: string, proof: string): string {
  const parts = [
    'curl -i',
    `-X ${quoted(call.method)}`,
    `-H ${quoted(`Authorization: DPoP ${token}`)}`,
    `-H ${quoted(`DPoP: ${proof}`)}`,
  ]
  for (const [name, value] of call.headers) parts.push(`-H ${quoted(`${name}: ${value}`)}`)
  if (call.data !== undefined) parts.push(`--data-binary ${quoted(call.data)}`)
  return `# The proof is good for one call, within a minute.\n${[...parts, quoted(call.url.href)].join(' \\\n  ')}\n`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
