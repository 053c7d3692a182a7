import { parseMediaType } from './media-type.ts'

/** What a multipart form says, files apart: those are forwarded unread. */
interface MultipartForm {
  /** Values of parts without a file name, in order. */
  readonly fields: ReadonlyMap<string, readonly string[]>
  readonly files: readonly { readonly name: string; readonly fileName: string; readonly sizeBytes: number }[]
}

export type MultipartReading =
  { readonly ok: true; readonly form: MultipartForm } | { readonly ok: false; readonly reason: string }

interface Part {
  readonly name: string
  readonly fileName: string | undefined
  readonly content: Buffer
}

const MAX_PARTS = 256
const FIELD_LIMIT_BYTES = 65_536
const HEADERS_LIMIT_BYTES = 4096
/** RFC 2046 §5.1.1, without the characters that would need quoting. */
const BOUNDARY = /^[0-9A-Za-z'()+_,./:=?-]{1,70}$/
/** RFC 7578 §4.2; the quoted forms have no escapes, because parsers disagree about them. */
const DISPOSITION = /^form-data; ?name="([^"\\\r\n]{1,256})"(?:; ?filename="([^"\\\r\n]{0,1024})")?$/i
const HEADER_LINE = /^([A-Za-z-]+):[\t ]*(.*?)[\t ]*$/
const PART_HEADERS = new Set(['content-disposition', 'content-type', 'content-length'])

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Parses `multipart/form-data` in the one form that all parsers read alike: no preamble, CRLF throughout, only the
 * three headers that browsers and SDKs send, no transfer encoding, no extended parameter, text fields in UTF-8.
 *
 * @see RFC 7578, RFC 2046 §5.1.1
 */
export function parseMultipart(bytes: Buffer, boundary: string): MultipartReading {
  if (!BOUNDARY.test(boundary)) return no('the boundary is not well-formed')
  const delimiter = Buffer.from(`\r\n--${boundary}`)
  if (bytes.indexOf(delimiter.subarray(2)) !== 0) return no('the body does not begin with its boundary')
  const fields = new Map<string, string[]>()
  const files: MultipartForm['files'][number][] = []
  let at = delimiter.length - 2
  for (let count = 0; ; count += 1) {
    const mark = bytes.toString('latin1', at, at + 2)
    if (mark === '--') return finish(bytes, at + 2, { fields, files })
    if (mark !== '\r\n') return no('a boundary is not followed by a line break')
    if (count === MAX_PARTS) return no('there are too many parts')
    // The break before the headers doubles as the one before the next delimiter, so that a part may be empty.
    const end = bytes.indexOf(delimiter, at)
    if (end === -1) return no('the last boundary is missing')
    const part = readPart(bytes.subarray(at + 2, end))
    if (typeof part === 'string') return no(part)
    const reason = keep(part, fields, files)
    if (reason !== undefined) return no(reason)
    at = end + delimiter.length
  }
}

function finish(bytes: Buffer, at: number, form: MultipartForm): MultipartReading {
  const epilogue = bytes.toString('latin1', at, at + 3)
  return epilogue === '' || epilogue === '\r\n'
    ? { ok: true, form }
    : no('there is text after the last boundary')
}

function keep(
  { name, fileName, content }: Part,
  fields: Map<string, string[]>,
  files: MultipartForm['files'][number][],
): string | undefined {
  if (fileName !== undefined) {
    files.push({ name, fileName, sizeBytes: content.length })
    return undefined
  }
  if (content.length > FIELD_LIMIT_BYTES) return 'a text field is too large'
  const text = textOf(content)
  if (text === undefined) return 'a text field is not UTF-8'
  const held = fields.get(name)
  if (held === undefined) fields.set(name, [text])
  else held.push(text)
  return undefined
}

/** The part, or why there is none. */
function readPart(bytes: Buffer): Part | string {
  const headersEnd = bytes.indexOf('\r\n\r\n')
  if (headersEnd === -1 || headersEnd > HEADERS_LIMIT_BYTES) return 'a part has no end of headers'
  const text = textOf(bytes.subarray(0, headersEnd))
  if (text === undefined) return 'a part header is not UTF-8'
  const headers = new Map<string, string>()
  for (const line of text.split('\r\n')) {
    const [, name = '', value = ''] = HEADER_LINE.exec(line) ?? []
    const key = name.toLowerCase()
    if (!PART_HEADERS.has(key) || headers.has(key) || /[\r\n\0]/.test(value))
      return 'a part header is not understood'
    headers.set(key, value)
  }
  const type = headers.get('content-type')
  if (type !== undefined && parseMediaType(type) === undefined) return 'the type of a part is not well-formed'
  const found = DISPOSITION.exec(headers.get('content-disposition') ?? '')
  if (found === null) return 'a Content-Disposition is not understood'
  return { name: found[1] ?? '', fileName: found[2], content: bytes.subarray(headersEnd + 4) }
}

function textOf(bytes: Buffer): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

function no(reason: string): MultipartReading {
  return { ok: false, reason }
}
