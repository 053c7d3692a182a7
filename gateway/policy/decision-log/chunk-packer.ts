import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

const compress = promisify(gzip)

/** How full a chunk shall be: closer to the limit, more of them would have to be packed again. */
const TARGET_SHARE = 0.95
/** Below this share of the limit more events are taken the next time. */
const LOW_SHARE = 0.9
const LARGEST_GROWTH = 4
/** Events of one chunk before compression; what the packer holds in memory. */
const MAX_UNPACKED_BYTES = 8_388_608

export interface Packed {
  /** A gzip compressed JSON array; `undefined` when the one event taken is too large for any chunk. */
  readonly chunk: Buffer | undefined
  /** Events at the head of those given that are done with. */
  readonly taken: number
  /** An event that fitted only without its `nd_builtin_cache`. */
  readonly cacheDropped: boolean
}

/**
 * Packs events into chunks that are no larger than the limit once compressed, and nearly as large. How many fit is only
 * known afterwards, so the packer learns from each chunk how well these events compress; OPA does the same.
 */
export class ChunkPacker {
  #limitBytes: number
  #unpackedLimitBytes: number

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
    this.#unpackedLimitBytes = limitBytes
  }

  /** Bytes of events that the next chunk will hold, as far as is known. */
  get wantedBytes(): number {
    return this.#unpackedLimitBytes
  }

  /** The other side takes less than was configured. */
  shrink(): void {
    this.#limitBytes = Math.max(1, Math.floor(this.#limitBytes / 2))
    this.#unpackedLimitBytes = Math.min(this.#unpackedLimitBytes, this.#limitBytes)
  }

  /** Packs as many of the oldest events as fit; `events` holds one at least. */
  async pack(events: readonly Buffer[]): Promise<Packed> {
    let count = this.#fitting(events)
    for (;;) {
      const unpackedBytes = sizeOf(events, count)
      const chunk = await compress(joined(events, count))
      if (chunk.length <= this.#limitBytes) {
        if (count < events.length || unpackedBytes >= this.#unpackedLimitBytes)
          this.#learn(unpackedBytes, chunk.length)
        return { chunk, taken: count, cacheDropped: false }
      }
      if (count === 1) return await this.#packWithoutCache(events)
      this.#unpackedLimitBytes = this.#estimate(unpackedBytes, chunk.length)
      count = Math.min(this.#fitting(events), count - 1)
    }
  }

  async #packWithoutCache([event = Buffer.alloc(0)]: readonly Buffer[]): Promise<Packed> {
    const smaller = withoutCache(event)
    const chunk = smaller && (await compress(joined([smaller], 1)))
    const fits = chunk !== undefined && chunk.length <= this.#limitBytes
    return { chunk: fits ? chunk : undefined, taken: 1, cacheDropped: fits }
  }

  #fitting(events: readonly Buffer[]): number {
    let sizeBytes = 0
    for (const [index, event] of events.entries()) {
      sizeBytes += event.length + 1
      if (index > 0 && sizeBytes > this.#unpackedLimitBytes) return index
    }
    return events.length
  }

  #learn(unpackedBytes: number, packedBytes: number): void {
    if (packedBytes >= this.#limitBytes * LOW_SHARE) return
    const largest = Math.min(unpackedBytes * LARGEST_GROWTH, MAX_UNPACKED_BYTES)
    this.#unpackedLimitBytes = Math.max(
      this.#unpackedLimitBytes,
      Math.min(largest, this.#estimate(unpackedBytes, packedBytes)),
    )
  }

  #estimate(unpackedBytes: number, packedBytes: number): number {
    return Math.ceil((unpackedBytes * this.#limitBytes * TARGET_SHARE) / packedBytes)
  }
}

const COMMA = Buffer.from(',')

function joined(events: readonly Buffer[], count: number): Buffer {
  const parts: Buffer[] = [Buffer.from('[')]
  for (let index = 0; index < count; index += 1) {
    if (index > 0) parts.push(COMMA)
    parts.push(events[index] ?? COMMA)
  }
  parts.push(Buffer.from(']'))
  return Buffer.concat(parts)
}

function sizeOf(events: readonly Buffer[], count: number): number {
  return events.slice(0, count).reduce((sum, { length }) => sum + length + 1, 0)
}

/** `undefined` where there is no cache to leave off. */
function withoutCache(event: Buffer): Buffer | undefined {
  const { nd_builtin_cache: cache, ...rest } = JSON.parse(event.toString()) as Record<string, unknown>
  return cache === undefined ? undefined : Buffer.from(JSON.stringify(rest))
}
