import { randomBytes } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { ChunkPacker } from '../../../../gateway/policy/decision-log/chunk-packer.ts'

const LIMIT_BYTES = 4_096

/** An event of which about half compresses away. */
const event = (number: number, more: object = {}): Buffer =>
  Buffer.from(JSON.stringify({ number, noise: randomBytes(40).toString('hex'), ...more }))
const incompressible = (sizeBytes: number): string => randomBytes(sizeBytes).toString('base64')

interface Chunk {
  readonly sizeBytes: number
  readonly events: { number: number; nd_builtin_cache?: unknown }[]
}

/** As the uploader packs: whatever is wanted of what is left, until nothing is. */
async function packAll(packer: ChunkPacker, events: readonly Buffer[]): Promise<Chunk[]> {
  const chunks: Chunk[] = []
  for (let left = events; left.length > 0;) {
    let sizeBytes = 0
    const wanted = left.filter((one, index) => (sizeBytes += one.length) <= packer.wantedBytes || index === 0)
    const { chunk, taken } = await packer.pack(wanted)
    if (chunk !== undefined)
      chunks.push({
        sizeBytes: chunk.length,
        events: JSON.parse(String(gunzipSync(chunk))) as Chunk['events'],
      })
    left = left.slice(taken)
  }
  return chunks
}

describe('chunks', () => {
  it('hold every event once, in order, and none is above the limit', async () => {
    const chunks = await packAll(
      new ChunkPacker(LIMIT_BYTES),
      Array.from({ length: 2_000 }, (_, number) => event(number)),
    )
    expect(chunks.flatMap(({ events }) => events.map(({ number }) => number))).toEqual([
      ...Array(2_000).keys(),
    ])
    expect(Math.max(...chunks.map(({ sizeBytes }) => sizeBytes))).toBeLessThanOrEqual(LIMIT_BYTES)
  })

  it('are nearly full once it is known how well the events compress', async () => {
    const packer = new ChunkPacker(LIMIT_BYTES)
    const chunks = await packAll(
      packer,
      Array.from({ length: 2_000 }, (_, number) => event(number)),
    )
    const settled = chunks.slice(3, -1).map(({ sizeBytes }) => sizeBytes / LIMIT_BYTES)
    expect(Math.min(...settled)).toBeGreaterThan(0.8)
  })

  it('get smaller again when events compress worse than before', async () => {
    const packer = new ChunkPacker(LIMIT_BYTES)
    const easy = Array.from({ length: 500 }, (_, number) =>
      Buffer.from(JSON.stringify({ number, x: 'x'.repeat(200) })),
    )
    const hard = Array.from({ length: 100 }, (_, number) => event(number, { more: incompressible(200) }))
    const chunks = await packAll(packer, [...easy, ...hard])
    expect(chunks.flatMap(({ events }) => events)).toHaveLength(600)
    expect(Math.max(...chunks.map(({ sizeBytes }) => sizeBytes))).toBeLessThanOrEqual(LIMIT_BYTES)
  })

  it('leave off the builtin cache of an event that is too large with it', async () => {
    const packer = new ChunkPacker(LIMIT_BYTES)
    const large = event(1, { nd_builtin_cache: { 'time.now_ns': { x: incompressible(LIMIT_BYTES) } } })
    expect(await packer.pack([large, event(2)])).toMatchObject({ taken: 1, cacheDropped: true })
    const [first] = await packAll(packer, [large])
    expect(Object.keys(first?.events[0] ?? {})).toEqual(['number', 'noise'])
  })

  it('give up an event that is too large without it too', async () => {
    const packer = new ChunkPacker(LIMIT_BYTES)
    const large = event(1, { input: incompressible(LIMIT_BYTES), nd_builtin_cache: { a: { b: 1 } } })
    expect(await packer.pack([large])).toEqual({ chunk: undefined, taken: 1, cacheDropped: false })
    const small = [event(2), event(3)]
    expect((await packAll(packer, [large, ...small])).flatMap(({ events }) => events)).toHaveLength(2)
  })

  it('get half as large each time that a collector finds them too large', async () => {
    const packer = new ChunkPacker(LIMIT_BYTES)
    packer.shrink()
    packer.shrink()
    const chunks = await packAll(
      packer,
      Array.from({ length: 200 }, (_, number) => event(number)),
    )
    expect(Math.max(...chunks.map(({ sizeBytes }) => sizeBytes))).toBeLessThanOrEqual(LIMIT_BYTES / 4)
  })
})
