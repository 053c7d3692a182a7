import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { CorruptLog } from '../../../../gateway/audit/corrupt-log.ts'
import { LOG_START, readLog } from '../../../../gateway/audit/exports/read-log.ts'
import { encodeControl, frameBytes, writeFrame } from '../../../../gateway/audit/frame.ts'
import { temporaryDirectory } from '../../../harness/temporary-directory.ts'

function entry(text: string): Buffer {
  const payload = Buffer.from(text)
  const frame = Buffer.alloc(frameBytes(payload.length))
  writeFrame(frame, 0, payload, false)
  return frame
}

function head(segment: number, firstIndex: number): Buffer {
  const format = 'toolgate-wal-1'
  const payload = encodeControl({ kind: 'segment', format, epoch: 'e', segment, firstIndex, carried: 0 })
  const frame = Buffer.alloc(frameBytes(payload.length))
  writeFrame(frame, 0, payload, true)
  return frame
}

async function openLog() {
  const folder = await temporaryDirectory()
  const path = { node: 'n', epoch: 'e', directory: join(folder.path, 'n', 'e') }
  await mkdir(path.directory, { recursive: true })
  const segment = (number: number): string => join(path.directory, `segment-00000${number}.wal`)
  return { path, segment, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}

it('a torn tail waits while its process may write on, and is read once it is whole', async () => {
  await using log = await openLog()
  const second = entry('second')
  await writeFile(log.segment(1), Buffer.concat([head(1, 0), entry('first'), second.subarray(0, 9)]))
  const torn = await readLog(log.path, LOG_START, 10)
  expect(torn).toMatchObject({ state: 'waiting', after: { next: 1 } })
  expect(await readLog(log.path, torn.after, 10)).toMatchObject({ entries: [], after: torn.after })
  await appendFile(log.segment(1), second.subarray(9))
  expect(
    (await readLog(log.path, torn.after, 10)).entries.map(({ index, bytes }) => [index, bytes.toString()]),
  ).toEqual([[1, 'second']])
})

it('a tail that nobody will write on is a log that has changed', async () => {
  await using log = await openLog()
  await writeFile(log.segment(1), Buffer.concat([head(1, 0), entry('first'), Buffer.from('torn')]))
  await writeFile(join(log.path.directory, 'recovered'), '')
  await expect(readLog(log.path, LOG_START, 10)).rejects.toThrow(CorruptLog)
})

it('the next segment has to follow, and be there', async () => {
  await using log = await openLog()
  await writeFile(log.segment(1), Buffer.concat([head(1, 0), entry('first')]))
  await writeFile(log.segment(2), Buffer.concat([head(2, 1), entry('second')]))
  const first = await readLog(log.path, LOG_START, 10)
  expect(first).toMatchObject({ state: 'more', after: { segment: 2, offset: 0, next: 1 } })
  expect((await readLog(log.path, first.after, 10)).entries).toMatchObject([{ index: 1 }])
  await expect(readLog(log.path, { ...first.after, next: 5 }, 10)).rejects.toThrow('does not follow')
  await expect(readLog(log.path, { segment: 3, offset: 0, next: 2 }, 10)).rejects.toThrow('missing')
})

it('no more entries are read than were asked for, however many there are', async () => {
  await using log = await openLog()
  const all = Array.from({ length: 5_000 }, (_, index) => entry(`${index}`.padEnd(200, '.')))
  await writeFile(log.segment(1), Buffer.concat([head(1, 0), ...all]))
  const seen: number[] = []
  let position = LOG_START
  for (let state = 'more'; state === 'more';) {
    const part = await readLog(log.path, position, 700)
    expect(part.entries.length).toBeLessThanOrEqual(700)
    seen.push(...part.entries.map(({ index }) => index))
    ;({ state, after: position } = part)
  }
  expect(seen).toEqual(all.map((_, index) => index))
})
