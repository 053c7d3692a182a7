import type { PolicyInput } from '../../policy/input.ts'
import type { DecisionEntry, OutcomeEntry } from '../entry.ts'
import type { AuditIndex } from '../index/audit-index.ts'
import type { IndexedPosition } from '../index/index-writer.ts'
import { disclosuresOf } from '../index/positions.ts'
import { readEntryAt } from '../read-frames.ts'
import { openBlock, readBlockHeader } from './block.ts'
import { inputFrom } from './disclose-call.ts'
import { findDisclosureKeys, type DisclosureKeys } from './disclosure-keys.ts'
import { commitmentOf, readSalted } from './salted.ts'

/** Blocks that are kept decrypted: calls that follow each other share them. */
const MAX_BLOCKS = 32

/**
 * What can be had of what an entry commits to. `locked`: the master key is not here. `erased`: the key of the day or
 * of the subject was deleted. `missing`: it was lost, or pruned. `altered`: it is not what was committed to.
 */
export type DisclosureState = 'disclosed' | 'none' | 'locked' | 'erased' | 'missing' | 'altered'

export interface Disclosure {
  readonly state: DisclosureState
  /** Values by path, each proven by its commitment in the entry; all of them when `disclosed`. */
  readonly values: ReadonlyMap<string, unknown>
  /** The disclosures themselves, by the same path: with one of them anybody can check its commitment. */
  readonly texts: ReadonlyMap<string, string>
}

type CallEntry = DecisionEntry | OutcomeEntry

/** Reads what entries only commit to. */
export class DisclosureReader {
  readonly #index: AuditIndex
  readonly #keys: DisclosureKeys | undefined
  readonly #opened = new Map<string, Buffer>()

  private constructor(index: AuditIndex, keys: DisclosureKeys | undefined) {
    this.#index = index
    this.#keys = keys
  }

  /** `index` covers the store in `directory`. Without the key file nothing can be read, which is no error. */
  static async open(index: AuditIndex, directory: string, keyFile: string): Promise<DisclosureReader> {
    return new DisclosureReader(index, await findDisclosureKeys(directory, keyFile))
  }

  async read(entry: CallEntry): Promise<Disclosure> {
    const wanted = new Set(Object.values(entry.disclosed ?? {}))
    if (wanted.size === 0) return nothing('none')
    if (this.#keys === undefined) return nothing('locked')
    const positions = disclosuresOf(this.#index, entry.call)
    const parts: Buffer[] = []
    for (const at of positions) {
      const opened = await this.#open(this.#keys, at)
      if (typeof opened === 'string') return nothing(opened)
      parts.push(opened)
    }
    const values = new Map<string, unknown>()
    const texts = new Map<string, string>()
    for (const text of textsOf(entry.call, Buffer.concat(parts).toString())) {
      const salted = wanted.has(commitmentOf(text)) ? readSalted(text) : undefined
      if (salted === undefined) continue
      values.set(salted.path, salted.value)
      texts.set(salted.path, text)
    }
    if (values.size === wanted.size) return { state: 'disclosed', values, texts }
    return { state: positions.length === 0 ? 'missing' : 'altered', values, texts }
  }

  /** The exact input of the decision that the entry tells of; `undefined` where that cannot be had. */
  async inputOf(entry: CallEntry): Promise<PolicyInput | undefined> {
    if (entry.disclosed?.input === undefined) return undefined
    const { values } = await this.read(entry)
    const input = inputFrom(values, entry.disclosed.declared !== undefined)
    return isRecordedInput(input) ? input : undefined
  }

  async #open(keys: DisclosureKeys, at: IndexedPosition): Promise<Buffer | DisclosureState> {
    const id = `${at.epoch}/${at.segment}/${at.offset}`
    const held = this.#opened.get(id)
    if (held !== undefined) return held
    const block = readEntryAt(this.#index.segmentPath(at), at.offset)
    const header = block && readBlockHeader(block)
    if (block === undefined || header === undefined) return 'missing'
    const key = await keys.find(header.key)
    if (key === undefined) return 'erased'
    const opened = openBlock(block, key)
    if (opened === undefined) return 'altered'
    const [oldest] = this.#opened.keys()
    if (oldest !== undefined && this.#opened.size >= MAX_BLOCKS) this.#opened.delete(oldest)
    this.#opened.set(id, opened)
    return opened
  }
}

/** Disclosures on the lines of one call. */
function* textsOf(call: string, plaintext: string): Generator<string> {
  const mark = `${call}\t`
  for (let at = plaintext.indexOf(mark); at !== -1; at = plaintext.indexOf(mark, at + 1)) {
    if (at > 0 && plaintext[at - 1] !== '\n') continue
    const end = plaintext.indexOf('\n', at)
    yield* plaintext.slice(at + mark.length, end === -1 ? plaintext.length : end).split('\t')
  }
}

function nothing(state: DisclosureState): Disclosure {
  return { state, values: new Map(), texts: new Map() }
}

/** It is what a commitment in the log proves, so the version tells the shape. */
function isRecordedInput(value: unknown): value is PolicyInput {
  return typeof value === 'object' && value !== null && 'v' in value && value.v === 1
}
