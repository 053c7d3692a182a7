/** What stands where something that looks like a secret was. */
const REMOVED = '[removed]'

interface SecretShape {
  /** How each begins, or what stands before it. Without a flag for case: one that ignores it takes three times as long. */
  readonly head: string
  readonly shape: RegExp
}

const TOKEN_HEAD =
  'gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|xapp-|[sr]k_(?:live|test)_|sk-|ATATT|AKIA|ASIA|AIza'

/**
 * Shapes of secrets that people and agents paste into free text. A net with wide meshes: it keeps the accident out
 * of the log; what must never be there at all is not given to the log in the first place.
 */
const SECRET_SHAPES: readonly SecretShape[] = [
  {
    head: '-----BEGIN ',
    shape: /-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----[^]*?(?:-----END [A-Z ]{0,32}PRIVATE KEY-----|$)/g,
  },
  { head: 'eyJ', shape: /\beyJ[\w-]{6,}\.[\w-]{6,}(?:\.[\w-]*)*/g },
  {
    head: '(?:[Bb][Ee][Aa][Rr][Ee][Rr]|[Dd][Pp][Oo][Pp]|[Bb][Aa][Ss][Ii][Cc])\\s',
    shape: /\b(?:bearer|dpop|basic)\s+[\w.~+/=-]{8,}/gi,
  },
  { head: TOKEN_HEAD, shape: new RegExp(`\\b(?:${TOKEN_HEAD})[\\w=-]{10,}`, 'g') },
  { head: '://', shape: /(?<=:\/\/)[^\s/:@]{1,256}:[^\s/@]{1,256}(?=@)/g },
]

/** One look tells of nearly all text that no secret is in it. */
const SECRET_HEAD = new RegExp(SECRET_SHAPES.map(({ head }) => head).join('|'))

/** Long unbroken runs; only those that mix cases and digits are taken, so that hex digests and UUIDs stay. */
const LONG_RUN = /[A-Za-z0-9+/_=-]{32,}/g
const LONG_RUN_LENGTH = 32

/** C0 and C1 controls, lone surrogates and what reorders text on a screen: none of it belongs in a line of a log. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/gu

/** At most `limit` characters of one line that is safe to print. */
export function printable(text: string, limit: number): string {
  const cut = text.length > limit ? `${text.slice(0, limit - 1)}…` : text
  return cut.search(UNPRINTABLE) === -1 ? cut : cut.replace(UNPRINTABLE, '\ufffd')
}

/** {@link printable} free text with everything taken out that looks like a secret. */
export function scrub(text: string, limit: number): string {
  if (text === '') return text
  // Cut first, with room: a secret that the final cut would split must still be recognised whole.
  let scrubbed = text.slice(0, limit * 2)
  if (SECRET_HEAD.test(scrubbed))
    for (const { shape } of SECRET_SHAPES) scrubbed = scrubbed.replace(shape, REMOVED)
  return printable(withoutRuns(scrubbed), limit)
}

/** Whether {@link scrub} would take something out. */
export function looksSecret(text: string): boolean {
  const hasShape = SECRET_HEAD.test(text) && SECRET_SHAPES.some(({ shape }) => text.search(shape) !== -1)
  return hasShape || withoutRuns(text) !== text
}

function withoutRuns(text: string): string {
  return text.length < LONG_RUN_LENGTH ? text : text.replace(LONG_RUN, scrubRun)
}

function scrubRun(run: string): string {
  return /[a-z]/.test(run) && /[A-Z]/.test(run) && /\d/.test(run) ? REMOVED : run
}
