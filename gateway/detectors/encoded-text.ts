const BACKSLASH = 0x5c
const LOWER_U = 0x75

const ESCAPED: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }

/**
 * The text of JSON with the escapes of its strings undone (RFC 8259 §7), everything else as it stands: names, values and
 * numbers in one, to be searched and not to be parsed. What is no escape is left alone.
 */
export function withoutEscapes(text: string): string {
  let at = text.indexOf('\\')
  if (at === -1) return text
  let plain = ''
  let done = 0
  while (at !== -1 && at + 1 < text.length) {
    plain += text.slice(done, at)
    const next = text.charCodeAt(at + 1)
    if (next === LOWER_U) {
      const code = Number.parseInt(text.slice(at + 2, at + 6), 16)
      plain += Number.isNaN(code) ? '' : String.fromCharCode(code)
      done = at + 6
    } else {
      plain += next === BACKSLASH ? '\\' : (ESCAPED[text.charAt(at + 1)] ?? text.charAt(at + 1))
      done = at + 2
    }
    at = text.indexOf('\\', done)
  }
  return plain + text.slice(done)
}

/** The text of a form or query, its escapes undone; as it stands where they are none. */
export function withoutPercents(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text
  const spaced = text.replaceAll('+', ' ')
  try {
    return decodeURIComponent(spaced)
  } catch {
    return spaced
  }
}

/** Shorter ones hold nothing that is looked for. */
const SHORTEST_RUN = 32
/** Each run covers one of every so many characters at least, so that only those have to be looked at. */
const STRIDE = SHORTEST_RUN
const LONGEST_LINE = 128

const IN_BASE64 = new Uint8Array(128)
/** What each character stands for, in both alphabets. */
const BASE64_VALUES = new Uint8Array(128)
for (const alphabet of ['+/', '-_']) {
  const characters = `ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789${alphabet}`
  for (let value = 0; value < characters.length; value += 1) {
    IN_BASE64[characters.charCodeAt(value)] = 1
    BASE64_VALUES[characters.charCodeAt(value)] = value
  }
}

/**
 * Calls `visit` with each long unbroken run of the base64 alphabets. Lines of up to 128 characters that follow each other
 * are one run, as in MIME and in what GitHub makes of the contents of a file.
 */
export function eachRun(text: string, visit: (run: string) => void): void {
  for (let probe = STRIDE - 1; probe < text.length; probe += STRIDE) {
    if (!isInRun(text, probe)) continue
    let begin = probe
    const least = Math.max(0, probe - STRIDE)
    while (begin > least && isInRun(text, begin - 1)) begin -= 1
    const end = endOfRun(text, begin, probe)
    if (end - begin >= SHORTEST_RUN) visit(text.slice(begin, end))
    while (probe + STRIDE < end) probe += STRIDE
  }
}

function endOfRun(text: string, begin: number, from: number): number {
  let line = begin
  let end = from
  for (;;) {
    while (isInRun(text, end)) end += 1
    const length = end - line
    if (length < SHORTEST_RUN || length > LONGEST_LINE) return end
    let next = end
    if (text.charCodeAt(next) === 0x0d) next += 1
    if (text.charCodeAt(next) !== 0x0a || !isInRun(text, next + 1)) return end
    line = end = next + 1
  }
}

/** Not past its end, either. */
function isInRun(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code < 128 && IN_BASE64[code] === 1
}

/** What a run has to begin with to be looked at: eighteen bytes, enough to tell text from a digest, a key or a long name. */
const HEAD_CHARACTERS = 24

/** The text that a run stands for; `undefined` where that is none. */
export function textIn(run: string): string | undefined {
  if (!beginsAsText(run)) return undefined
  const bytes = Buffer.from(run, 'base64')
  return isText(bytes) ? bytes.toString('utf8') : undefined
}

/** Four characters are three bytes, and no run is shorter than its head. */
function beginsAsText(run: string): boolean {
  for (let at = 0; at < HEAD_CHARACTERS; at += 4) {
    const first = valueAt(run, at)
    const second = valueAt(run, at + 1)
    const third = valueAt(run, at + 2)
    if (!isTextByte((first << 2) | (second >> 4))) return false
    if (!isTextByte(((second & 15) << 4) | (third >> 2))) return false
    if (!isTextByte(((third & 3) << 6) | valueAt(run, at + 3))) return false
  }
  return true
}

function valueAt(run: string, at: number): number {
  return BASE64_VALUES[run.charCodeAt(at)] ?? 0
}

function isText(bytes: Buffer): boolean {
  for (let at = 0; at < bytes.length; at += 1) if (!isTextByte(bytes[at] as number)) return false
  return true
}

function isTextByte(byte: number): boolean {
  return byte < 0x20 ? byte === 0x0a || byte === 0x0d || byte === 0x09 : byte !== 0x7f
}
