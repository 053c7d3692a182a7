import { HeaderList } from '../lib/header-list.ts'
import { isJsonType, parseMediaType } from '../lib/media-type.ts'
import { pass, refuse } from '../refusal.ts'
import type { Refusal, Verdict } from '../refusal.ts'
import type { AnswerDuties } from './answer-duties.ts'
import { collect, wholeBody } from './body.ts'
import type { PointerNode } from './redact-pointers.ts'
import { redactJson, type Redaction } from './redact-json.ts'
import type { UpstreamReply } from './upstream.ts'

/** Held whole while it is redacted; what is larger is withheld, for a call may hold no more memory than this. */
const REDACT_LIMIT_BYTES = 4 * 1024 * 1024

/** Said of the bytes as the upstream sent them, or letting the caller ask for a part of them. */
const OF_EXACT_BYTES: ReadonlySet<string> = new Set([
  'accept-ranges',
  'content-digest',
  'content-length',
  'content-md5',
  'content-range',
  'etag',
  'repr-digest',
])

const NOTHING: Redaction = { ok: true, bytes: Buffer.alloc(0), count: 0 }

export interface Withheld {
  readonly reply: UpstreamReply
  /** Values that were replaced. */
  readonly redacted: number
}

/**
 * Makes of the upstream's answer what policy lets through. What cannot be redacted, or is known to be too large, is not
 * relayed at all; what turns out to be too large is broken off by `sendStream`. Rejects for nothing that an upstream does.
 */
export async function withhold(
  duties: AnswerDuties,
  reply: UpstreamReply,
  method: string,
): Promise<Verdict<Withheld>> {
  const received = new HeaderList(reply.headers)
  const bodiless = method === 'HEAD' || reply.status === 204 || reply.status === 304
  const withheld =
    duties.pointers === undefined
      ? pass({ reply, redacted: 0 })
      : await redact(duties.pointers, reply, received, bodiless)
  if (!withheld.ok || bodiless) return withheld
  const measured = measure(duties.maxBytes, withheld.value, received)
  return measured.ok ? withheld : measured
}

async function redact(
  pointers: PointerNode,
  reply: UpstreamReply,
  received: HeaderList,
  bodiless: boolean,
): Promise<Verdict<Withheld>> {
  const headers = withoutExactBytes(reply.headers)
  const { whole } = reply.body
  const empty = whole?.length === 0 || received.get('content-length') === '0'
  if (bodiless || empty) return pass({ reply: { ...reply, headers }, redacted: 0 })
  // Before anything is awaited of it: a stream of events may never end.
  const reason = unredactable(reply, received)
  if (reason !== undefined) return withholding(reason)
  const collected = await collect(reply.body, REDACT_LIMIT_BYTES)
  if (!collected.ok) return withholding(collected.reason)
  const { bytes } = collected
  const redaction = bytes.length === 0 ? NOTHING : redactJson(bytes, pointers)
  if (!redaction.ok) return withholding(redaction.reason)
  return pass({ reply: { ...reply, headers, body: wholeBody(redaction.bytes) }, redacted: redaction.count })
}

/** Why a client could read the bytes in another way than we do; `undefined` where there is one way only. */
function unredactable({ status }: UpstreamReply, received: HeaderList): string | undefined {
  if (status === 206 || received.has('content-range')) return 'the answer is a part'
  if (isCoded(received)) return 'the answer is compressed'
  // `get` has nothing for a header that is there twice.
  const mediaType = parseMediaType(received.get('content-type') ?? '')
  if (mediaType === undefined || !isJsonType(mediaType.essence)) return 'the answer is not JSON'
  const charset = mediaType.parameters.get('charset') ?? 'utf-8'
  return /^utf-?8$/i.test(charset) ? undefined : 'the answer has another charset'
}

/** A body of which it is known beforehand that it is too large, or that cannot be measured, is not begun. */
function measure(maxBytes: number, { reply }: Withheld, received: HeaderList): Verdict<undefined> {
  if (maxBytes === Number.POSITIVE_INFINITY || reply.body.whole?.length === 0) return pass(undefined)
  // How much a compressed body holds is known to whoever unpacks it.
  if (isCoded(received)) return withholding('the answer is compressed, so that its size is not known')
  const announcedBytes = Number(new HeaderList(reply.headers).get('content-length') ?? 0)
  return announcedBytes > maxBytes
    ? withholding(`the answer is larger than ${maxBytes} bytes`)
    : pass(undefined)
}

function isCoded(received: HeaderList): boolean {
  const coding = received.all('content-encoding').join(',').trim().toLowerCase()
  return coding !== '' && coding !== 'identity'
}

function withoutExactBytes(headers: readonly string[]): string[] {
  const kept: string[] = []
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as string
    if (!OF_EXACT_BYTES.has(name.toLowerCase())) kept.push(name, headers[index + 1] as string)
  }
  return kept
}

function withholding(detail: string): { ok: false; refusal: Refusal } {
  return refuse('policy.answer_withheld', { detail })
}
