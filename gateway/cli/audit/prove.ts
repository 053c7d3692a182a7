import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { decodeEntry, type AuditEntry } from '../../audit/entry.ts'
import { formatProof, PROOF_LIMIT_BYTES } from '../../audit/evidence/proof-file.ts'
import { proveEntry } from '../../audit/evidence/prove-entry.ts'
import { isEvent, type Mention, mentionsOf } from '../../audit/index/event.ts'
import { searchCalls } from '../../audit/index/search-calls.ts'
import { searchEvents } from '../../audit/index/search-events.ts'
import { listEpochs } from '../../audit/read-entries.ts'
import { type Command, UsageError } from '../command.ts'
import { openRecord, RECORD_OPTIONS, RECORD_USAGE, recordPlaces, type OpenRecord } from './record-places.ts'

const USAGE = `toolgate audit prove CALL|APPROVAL|LOCK|DETECTION|ORIGIN:INDEX [--disclose PATH]... [--out FOLDER] [RECORD]

Writes a proof (c2sp.org/tlog-proof) for each entry of a call, its decision and its outcome; for each entry of an approval
(asked, each vote, used), a lock or a detection; or for the one entry of that number in the log of that origin. The file holds the entry, where it stands in the log, and the checkpoint that was
signed over it: \`toolgate audit verify-proof\` needs nothing else but the key. Nothing that the entry only commits to is
in it unless you say so.

  --disclose PATH           input, input.params or input.declared, proven by its commitment in the entry; all for each
                            that the entry commits to. What was erased or lost cannot be disclosed.
  --out FOLDER              where to write (here); a file that is there already is left alone
${RECORD_USAGE}
Exit codes: 0 written · 1 not on record, not signed yet or not to be disclosed · 2 wrong usage
`

const PATHS = ['input', 'input.params', 'input.declared']

/** Where an entry stands. */
interface Place {
  readonly directory: string
  readonly index: number
  /** What the name of the file begins with. */
  readonly name: string
  /** Whose entry it has to be, when it was looked up by call. */
  readonly call?: string
  /** What it has to mention, when it was looked up by that. */
  readonly mention?: Mention
  /** Which log it has to be, when it was named. */
  readonly origin?: string
}

interface NamedProof {
  readonly name: string
  readonly text: string
  /** Paths of what it discloses. */
  readonly disclosed: readonly string[]
}

export const prove: Command = {
  summary: 'write a proof of entries, for somebody who has nothing else',
  usage: USAGE,
  async run(args, surroundings) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        ...RECORD_OPTIONS,
        disclose: { type: 'string', multiple: true, default: [] },
        out: { type: 'string', default: '.' },
      },
    })
    const [subject, ...more] = positionals
    if (subject === undefined || subject === '' || more.length > 0)
      throw new UsageError('prove takes one call, approval, lock or detection, or ORIGIN:INDEX')
    for (const path of values.disclose)
      if (path !== 'all' && !PATHS.includes(path))
        throw new UsageError(`--disclose is one of ${PATHS.join(', ')} or all`)
    using record = await openRecord(recordPlaces(values, surroundings))
    const wanted = new Set(values.disclose.flatMap((path) => (path === 'all' ? PATHS : [path])))
    const proofs: NamedProof[] = []
    for (const place of await placesOf(record, subject)) proofs.push(await proofAt(record, place, wanted))
    if (proofs.length === 0) throw new Error(`${subject} is not on record in ${record.places.audit}`)
    for (const path of values.disclose)
      if (path !== 'all' && !proofs.some(({ disclosed }) => disclosed.includes(path)))
        throw new Error(`no entry of ${subject} commits to ${path}`)
    for (const { name, text } of proofs) {
      const file = join(values.out, `${name}.tlog-proof`)
      // For its owner: it may disclose what the log does not hold.
      await writeFile(file, text, { flag: 'wx', mode: 0o600 })
      surroundings.print(`${file}\n`)
    }
    return 0
  },
}

async function proofAt(record: OpenRecord, place: Place, wanted: ReadonlySet<string>): Promise<NamedProof> {
  const proof = await proveEntry(place.directory, place.index)
  const entry = decodeEntry(proof.entry)
  if (!isEntryOf(place, entry))
    throw new Error('the index does not match the log: delete it, it is made anew')
  if (place.origin !== undefined && place.origin !== proof.checkpoint.origin)
    throw new Error(`the log there is ${proof.checkpoint.origin}`)
  const disclosed = wanted.size === 0 ? new Map<string, string>() : await disclosuresOf(record, entry, wanted)
  const text = formatProof({ ...proof, disclosures: [...disclosed.values()] })
  if (text.length > PROOF_LIMIT_BYTES) throw new Error('what is to be disclosed is too large for a proof')
  const isNamedByType = place.call !== undefined || place.mention !== undefined
  const name = !isNamedByType ? place.name : `${place.name}.${entry?.type ?? ''}`
  return { name, text, disclosed: [...disclosed.keys()] }
}

async function disclosuresOf(
  { disclosures }: OpenRecord,
  entry: AuditEntry | undefined,
  wanted: ReadonlySet<string>,
): Promise<Map<string, string>> {
  if (entry?.type !== 'decision' && entry?.type !== 'outcome') return new Map()
  const { state, texts } = await disclosures.read(entry)
  // Half of what was asked for would look like all there is.
  if (state !== 'disclosed' && state !== 'none')
    throw new Error(`what the entry commits to is ${state}; without --disclose the entry is proven alone`)
  return new Map([...texts].filter(([path]) => wanted.has(path)))
}

async function placesOf(record: OpenRecord, subject: string): Promise<Place[]> {
  const [, origin = '', node, epoch, index] = /^(.+\/([^/]+)\/([^/]+)):(0|[1-9]\d{0,15})$/.exec(subject) ?? []
  if (origin === '') {
    const ofCall = placesOfCall(record, subject)
    return ofCall.length > 0 ? ofCall : placesOfEvents(record, subject)
  }
  const epochs = await listEpochs(record.places.audit)
  const path = epochs.find((each) => each.node === node && each.epoch === epoch)
  if (path === undefined) return []
  const name = `${path.node}-${path.epoch}-${String(index)}`
  return [{ directory: path.directory, index: Number(index), origin, name }]
}

function placesOfCall({ index }: OpenRecord, call: string): Place[] {
  const [found] = searchCalls(index, { call }, { order: 'oldest' })
  return (found?.entries ?? []).map((at) => ({
    directory: dirname(index.segmentPath(at)),
    index: at.number,
    call,
    name: fileNameOf(call),
  }))
}

/** All that is on record of an approval, a lock or a detection, numbered in the order of time. */
function placesOfEvents({ index }: OpenRecord, id: string): Place[] {
  for (const role of ['approval', 'lock', 'detection'] as const) {
    const found = [...searchEvents(index, { types: [role], mentions: { [role]: id } }, { order: 'oldest' })]
    if (found.length > 0)
      return found.map(({ at }, order) => ({
        directory: dirname(index.segmentPath(at)),
        index: at.number,
        mention: [role, id],
        name: `${fileNameOf(id)}.${order + 1}`,
      }))
  }
  return []
}

function isEntryOf({ call, mention }: Place, entry: AuditEntry | undefined): boolean {
  if (call !== undefined) return entry !== undefined && 'call' in entry && entry.call === call
  if (mention === undefined) return true
  const mentioned = entry !== undefined && isEvent(entry) ? mentionsOf(entry) : []
  return mentioned.some(([role, name]) => role === mention[0] && name === mention[1])
}

/** Ids are ours, unless somebody has altered the log: nothing in one leads out of the folder. */
function fileNameOf(id: string): string {
  return id.replaceAll(/[^\w-]/g, '_')
}
