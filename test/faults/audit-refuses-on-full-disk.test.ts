import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { decodeEntry } from '../../gateway/audit/entry.ts'
import { openAudit } from '../../gateway/audit/open-audit.ts'
import { readEntries } from '../../gateway/audit/read-entries.ts'
import { auditConfig } from '../harness/audit-config.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

const WRITER = fileURLToPath(new URL('./audit-writer.ts', import.meta.url))

/** The kernel's own limit on the size of a file stands in for a disk without room: the write comes back with an error. */
async function writeUntilRefused(directory: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)(
    '/bin/sh',
    [
      '-c',
      'ulimit -f 4096; exec "$0" "$@"',
      process.execPath,
      WRITER,
      directory,
      '100000000',
      'until-refused',
    ],
    { maxBuffer: 64_000_000 },
  )
  return stdout.trimEnd().split('\n')
}

it('a full disk refuses intents, makes the log unhealthy, and loses nothing that was acknowledged', async () => {
  await using directory = await temporaryDirectory()
  const lines = await writeUntilRefused(directory.path)
  const result: unknown = JSON.parse(lines.at(-1) ?? '')
  const acknowledged = lines.slice(0, -1).map((line) => line.split(' ')[1])
  expect(result).toMatchObject({
    refusals: Array.from({ length: 32 }, () => 'audit.unavailable'),
    again: { ok: false, refusal: { code: 'audit.unavailable' } },
    trouble: expect.stringContaining('EFBIG') as string,
    health: { state: 'failed', queuedBytes: 0 },
  })
  expect(acknowledged.length).toBeGreaterThan(20)
  await using next = await openAudit({
    config: auditConfig(directory.path),
    node: 'worker-1',
    version: '0.1.0',
  })
  expect(next.recoveries.length).toBe(1)
  expect(next.recorder.trouble()).toBe('')
  const intended = new Set<string>()
  for await (const { bytes } of readEntries(directory.path)) {
    const entry = decodeEntry(bytes)
    if (entry?.type === 'decision') intended.add(entry.call)
  }
  expect(acknowledged.filter((callId) => callId !== undefined && !intended.has(callId))).toEqual([])
})
