import { parseStrictJson } from '../../lib/strict-json.ts'
import { ENTRY_LIMIT_BYTES } from '../audit-log.ts'
import { parseCheckpoint, type SignedCheckpoint } from '../tlog/checkpoint.ts'
import { HASH_BYTES } from '../tlog/merkle-hash.ts'

const HEADER = 'c2sp.org/tlog-proof@v1'
/** Room for an entry and the disclosures of a large body. */
export const PROOF_LIMIT_BYTES = 8_388_608
/** A tree of 2^53 entries is no deeper. */
const HASHES_LIMIT = 53
/** An entry makes three commitments at most. */
const DISCLOSURES_LIMIT = 8

/** What a proof file holds, whoever made it; nothing in it is believed yet. */
export interface ProofFile {
  readonly index: number
  readonly hashes: readonly Buffer[]
  /** The note as the log published it. */
  readonly note: string
  readonly entry: Buffer
  /** Texts, JSON `[salt, path, value]`. */
  readonly disclosures: readonly string[]
}

/**
 * Writes a proof; entry and disclosures stand in its extra data, where the format has what is needed "to reconstruct
 * the record hash": base64 of JSON, the entry in it as base64, each disclosure as SD-JWT has them (RFC 9901 §4.2.1).
 *
 * @see https://c2sp.org/tlog-proof
 */
export function formatProof({ index, hashes, note, entry, disclosures }: ProofFile): string {
  const extra = JSON.stringify({
    disclosures: disclosures.map((text) => Buffer.from(text).toString('base64url')),
    entry: entry.toString('base64'),
  })
  const lines = [
    HEADER,
    `extra ${Buffer.from(extra).toString('base64')}`,
    `index ${String(index)}`,
    ...hashes.map((hash) => hash.toString('base64')),
  ]
  return `${lines.join('\n')}\n\n${note}`
}

/** Takes a proof of ours apart, of at most {@link PROOF_LIMIT_BYTES}; `undefined` when it is none. */
export function parseProof(
  untrustedProof: string,
): (ProofFile & { readonly checkpoint: SignedCheckpoint }) | undefined {
  if (untrustedProof.length > PROOF_LIMIT_BYTES) return undefined
  const split = untrustedProof.indexOf('\n\n')
  const [header, extraLine = '', indexLine = '', ...hashLines] = untrustedProof
    .slice(0, Math.max(0, split))
    .split('\n', HASHES_LIMIT + 4)
  if (header !== HEADER || !extraLine.startsWith('extra ') || hashLines.length > HASHES_LIMIT)
    return undefined
  const extra = parseExtra(extraLine.slice('extra '.length))
  const index = /^index (0|[1-9]\d{0,15})$/.exec(indexLine)?.[1]
  const hashes = hashLines.map((line) => decoded(line, 'base64'))
  const note = untrustedProof.slice(split + 2)
  const checkpoint = parseCheckpoint(note)
  if (extra === undefined || index === undefined || checkpoint === undefined) return undefined
  if (!hashes.every((hash) => hash?.length === HASH_BYTES)) return undefined
  return {
    index: Number(index),
    hashes: hashes.filter((hash) => hash !== undefined),
    note,
    checkpoint,
    ...extra,
  }
}

function parseExtra(untrustedExtra: string): Pick<ProofFile, 'entry' | 'disclosures'> | undefined {
  const json = decoded(untrustedExtra, 'base64')
  const reading = json && parseStrictJson(json, 2)
  if (reading?.ok !== true || typeof reading.value !== 'object' || reading.value === null) return undefined
  const { entry: untrustedEntry, disclosures: untrustedDisclosures } = reading.value as Record<
    string,
    unknown
  >
  if (typeof untrustedEntry !== 'string' || !Array.isArray(untrustedDisclosures)) return undefined
  if (untrustedDisclosures.length > DISCLOSURES_LIMIT) return undefined
  const entry = decoded(untrustedEntry, 'base64')
  const disclosures = untrustedDisclosures.map((each: unknown) =>
    typeof each === 'string' ? decoded(each, 'base64url')?.toString() : undefined,
  )
  if (entry === undefined || entry.length > ENTRY_LIMIT_BYTES) return undefined
  const texts = disclosures.filter((text) => text !== undefined)
  return texts.length === disclosures.length ? { entry, disclosures: texts } : undefined
}

/** One way to write it: a second spelling of the same bytes is another file. */
function decoded(text: string, encoding: 'base64' | 'base64url'): Buffer | undefined {
  const bytes = Buffer.from(text, encoding)
  return bytes.toString(encoding) === text ? bytes : undefined
}
