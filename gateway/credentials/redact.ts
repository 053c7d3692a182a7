/** Shorter secrets would blank out ordinary words. */
const SHORTEST_REDACTED = 4
const REMEMBERED_VALUES = 4
const REPLACEMENT = '[redacted]'

export interface Redactor {
  /** Remembers a value under the name of what it belongs to; the last few values of a name stay remembered. */
  remember(name: string, value: string): void
  /** The text without any remembered value, in the forms in which it may have got there. */
  redactExact(text: string): string
}

/** Removes secrets by their exact values, because their shapes change with every vendor's whim. */
export function createRedactor(): Redactor {
  const valuesByName = new Map<string, readonly string[]>()
  let pattern: RegExp | undefined
  return {
    remember: (name, value) => {
      const known = valuesByName.get(name) ?? []
      if (value.length < SHORTEST_REDACTED || known.includes(value)) return
      valuesByName.set(name, [value, ...known].slice(0, REMEMBERED_VALUES))
      const forms = new Set([...valuesByName.values()].flat().flatMap(formsOf))
      // The longest first, so that no form leaves the rest of another standing.
      const longestFirst = [...forms].sort((one, other) => other.length - one.length)
      pattern = new RegExp(longestFirst.map(escapePattern).join('|'), 'g')
    },
    redactExact: (text) => (pattern === undefined ? text : text.replace(pattern, REPLACEMENT)),
  }
}

function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)
}

function formsOf(value: string): string[] {
  const encoded = percentEncoded(value)
  const form = encoded.replaceAll('%20', '+')
  const forms = [
    value,
    JSON.stringify(value).slice(1, -1),
    encoded,
    form,
    ...[encoded, form].map((text) => text.replaceAll(/%[0-9A-F]{2}/g, (octet) => octet.toLowerCase())),
    ...base64Forms(Buffer.from(value)),
  ]
  return forms.filter((text) => text.length >= SHORTEST_REDACTED)
}

/** As `encodeURIComponent`, and also for Latin-1 text that it would refuse. */
function percentEncoded(value: string): string {
  return value.isWellFormed() ? encodeURIComponent(value) : value
}

/** Base64 of the value wherever it stands inside a longer text: one form for each place modulo three, in both alphabets. */
function base64Forms(value: Buffer): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), value])
    // Characters that also carry bits of a neighbour are not the value's own.
    const first = Math.ceil((offset * 8) / 6)
    const last = Math.floor((bytes.length * 8) / 6)
    const standard = bytes.toString('base64').slice(first, last)
    return [standard, standard.replaceAll('+', '-').replaceAll('/', '_')]
  })
}
