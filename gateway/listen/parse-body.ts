import { assertNever } from '../lib/assert-never.ts'
import type { ReadBody } from '../exchange.ts'
import { isJsonType, parseMediaType } from '../lib/media-type.ts'
import { parseMultipart } from '../lib/multipart.ts'
import { parseStrictJson } from '../lib/strict-json.ts'
import { pass, refuse } from '../refusal.ts'
import type { Verdict } from '../refusal.ts'

/** What a body said, as policy's view is made from it. */
export type ParsedBody =
  | { readonly kind: 'none' | 'opaque' }
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'form'; readonly text: string }
  | { readonly kind: 'multipart'; readonly names: readonly string[] }

const MAX_DEPTH = 64

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * How a body of this type is to be read. Anything that is not JSON or a form is opaque, which only an operation
 * that takes files may be sent: several vendors parse JSON whatever the label says, and policy would have been blind.
 */
export function kindOfBody(
  mediaType: string,
  acceptsOpaque: boolean,
): Verdict<Exclude<ReadBody['kind'], 'none'>> {
  if (isJsonType(mediaType)) return pass('json')
  if (mediaType === 'application/x-www-form-urlencoded') return pass('form')
  if (mediaType === 'multipart/form-data') return pass('multipart')
  return acceptsOpaque ? pass('opaque') : unsupported(`a body of type "${mediaType}"`)
}

/** Parses a body held in memory, once; `contentType` is the whole header value. */
export function parseBody(
  kind: ReadBody['kind'],
  bytes: Buffer,
  contentType: string | undefined,
): Verdict<ParsedBody> {
  switch (kind) {
    case 'none':
    case 'opaque':
      return pass({ kind })
    case 'json':
      return parseJson(bytes, contentType)
    case 'form':
      return parseForm(bytes, contentType)
    case 'multipart':
      return parseParts(bytes, contentType)
    default:
      return assertNever(kind)
  }
}

function parseJson(bytes: Buffer, contentType: string | undefined): Verdict<ParsedBody> {
  if (!isUtf8(contentType)) return unsupported('a charset other than UTF-8')
  const reading = parseStrictJson(bytes, MAX_DEPTH)
  return reading.ok ? pass({ kind: 'json', value: reading.value }) : invalid(reading.reason)
}

function parseForm(bytes: Buffer, contentType: string | undefined): Verdict<ParsedBody> {
  if (!isUtf8(contentType)) return unsupported('a charset other than UTF-8')
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch {
    return invalid('the form is not UTF-8')
  }
  // `curl -d '{…}'` labels JSON as a form, and GitHub parses it as JSON all the same; some parsers skip comments.
  if (/^\s*(?:[[{"]|\/[*/])/.test(text)) return invalid('JSON labelled as a form')
  return pass({ kind: 'form', text })
}

function parseParts(bytes: Buffer, contentType: string | undefined): Verdict<ParsedBody> {
  const boundary = parseMediaType(contentType ?? '')?.parameters.get('boundary') ?? ''
  const reading = parseMultipart(bytes, boundary)
  if (!reading.ok) return invalid(reading.reason)
  const { fields, files } = reading.form
  return pass({ kind: 'multipart', names: [...fields.keys(), ...files.map(({ name }) => name)] })
}

function isUtf8(contentType: string | undefined): boolean {
  const charset = parseMediaType(contentType ?? '')?.parameters.get('charset')
  return charset === undefined || /^utf-?8$/i.test(charset)
}

function invalid(detail: string): Verdict<never> {
  return refuse('request.body_invalid', { detail })
}

function unsupported(detail: string): Verdict<never> {
  return refuse('request.body_unsupported', { detail })
}
