import { StringDecoder } from 'node:string_decoder'
import { createBrotliDecompress, createInflate, createUnzip, createZstdDecompress } from 'node:zlib'
import type { BodySink } from '../egress/upstream.ts'
import { FoundNames, type Findings } from './findings.ts'
import { unescaped } from './request-search.ts'
import type { SearchPlan } from './search-plan.ts'
import { searchText } from './text-search.ts'

/**
 * What is looked at twice, at the end of one piece and before the next, so that what a cut splits is found nevertheless:
 * longer than any token or phrase. Of longer things, such as encoded text, enough comes in one piece.
 */
const OVERLAP_CHARACTERS = 1_024
/** Pieces are gathered to so much before they are looked at: a stream of tokens comes in words. */
const GATHER_CHARACTERS = 4_096

const UNPACKERS = {
  gzip: createUnzip,
  'x-gzip': createUnzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
} as const

export type Coding = keyof typeof UNPACKERS

export function isCoding(untrusted: string): untrusted is Coding {
  return Object.hasOwn(UNPACKERS, untrusted)
}

/**
 * Looks through an answer as it passes, without holding back a byte of it. What was looked for is found by the time the
 * answer has ended, when it is on its way: this tells people, it protects nobody who reads the answer.
 */
export class ReplySearch {
  readonly #plan: SearchPlan
  readonly #found = new FoundNames()
  readonly #decoder = new StringDecoder('utf8')
  readonly #unpacker: ReturnType<(typeof UNPACKERS)[Coding]> | undefined
  /** Left of what may be taken in; of what is unpacked from that, as much again. */
  #leftBytes: number
  #leftUnpackedBytes: number
  #pending = ''
  #overlap = ''

  constructor(plan: SearchPlan, limitBytes: number, coding?: Coding) {
    this.#plan = plan
    this.#leftBytes = limitBytes
    this.#leftUnpackedBytes = limitBytes
    if (coding === undefined) return
    this.#unpacker = UNPACKERS[coding]()
    this.#unpacker.on('data', (plain: Buffer) => this.#takePlain(plain))
    // What cannot be unpacked, nobody else reads either; what came of it until then has been looked at.
    this.#unpacker.on('error', () => this.#unpacker?.destroy())
  }

  take(chunk: Buffer): void {
    if (this.#leftBytes === 0) return
    const taken = chunk.length > this.#leftBytes ? chunk.subarray(0, this.#leftBytes) : chunk
    this.#leftBytes -= taken.length
    if (this.#unpacker === undefined) this.#takePlain(taken)
    else if (!this.#unpacker.destroyed) this.#unpacker.write(taken)
  }

  /** What was found in all that was taken; to be asked for once, at the end. */
  findings(): Findings | Promise<Findings> {
    const unpacker = this.#unpacker
    if (unpacker === undefined || unpacker.destroyed) return this.#conclude()
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    unpacker.once('close', () => resolve())
    unpacker.end()
    return ended.then(() => this.#conclude())
  }

  /** Hands everything on at once, and looks at it afterwards. */
  through(sink: BodySink): BodySink {
    return {
      write: (chunk) => {
        const wantsMore = sink.write(chunk)
        this.take(chunk)
        return wantsMore
      },
      end: () => sink.end(),
      fail: (cause) => sink.fail(cause),
    }
  }

  #takePlain(plain: Buffer): void {
    const taken = plain.length > this.#leftUnpackedBytes ? plain.subarray(0, this.#leftUnpackedBytes) : plain
    this.#leftUnpackedBytes -= taken.length
    this.#pending += this.#decoder.write(taken)
    if (this.#pending.length >= GATHER_CHARACTERS) this.#search()
    // A few bytes can be packed that nobody could ever unpack whole.
    if (this.#leftUnpackedBytes === 0) this.#unpacker?.destroy()
  }

  #conclude(): Findings {
    if (this.#pending !== '') this.#search()
    return this.#found.findings()
  }

  #search(): void {
    const text = this.#overlap + this.#pending
    this.#pending = ''
    this.#overlap = text.slice(-OVERLAP_CHARACTERS)
    searchText(this.#plan, unescaped(text), this.#found)
  }
}
