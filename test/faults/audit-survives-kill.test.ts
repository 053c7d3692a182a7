import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { decodeEntry } from '../../gateway/audit/entry.ts'
import { openAudit, type Recovery } from '../../gateway/audit/open-audit.ts'
import { readEntries } from '../../gateway/audit/read-entries.ts'
import { verifyAudit } from '../../gateway/audit/verify/verify-audit.ts'
import { auditConfig } from '../harness/audit-config.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

const ROUNDS = 100
const WRITER = fileURLToPath(new URL('./audit-writer.ts', import.meta.url))

/** Runs a writer and kills it after so many acknowledged calls; resolves with the ids it acknowledged. */
async function killAfter(directory: string, calls: number): Promise<string[]> {
  const child = spawn(process.execPath, [WRITER, directory, '300000', 'until-killed'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let complaint = ''
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
  const acknowledged: string[] = []
  for await (const line of createInterface(child.stdout)) {
    const [, callId] = line.split(' ')
    if (callId !== undefined) acknowledged.push(callId)
    if (acknowledged.length === calls) child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  expect({ signal: child.signalCode, complaint }).toEqual({ signal: 'SIGKILL', complaint: '' })
  return acknowledged
}

async function recover(directory: string): Promise<readonly Recovery[]> {
  await using audit = await openAudit({
    config: auditConfig(directory),
    node: 'worker-1',
    version: '0.1.0',
  })
  return audit.recoveries
}

it(`after ${String(ROUNDS)} kills under load, every acknowledged call is on record, and every call has an end`, async () => {
  await using directory = await temporaryDirectory()
  const acknowledged: string[] = []
  for (let round = 0; round < ROUNDS; round++) {
    acknowledged.push(...(await killAfter(directory.path, 40 + (round % 12) * 60)))
    await recover(directory.path)
  }
  const intended = new Set<string>()
  const ended: string[] = []
  let unknown = 0
  for await (const { bytes } of readEntries(directory.path)) {
    const entry = decodeEntry(bytes)
    if (entry?.type === 'decision') intended.add(entry.call)
    if (entry?.type === 'outcome') {
      ended.push(entry.call)
      if (entry.outcome === 'unknown') unknown++
    }
  }
  expect(acknowledged.length).toBeGreaterThan(ROUNDS * 40)
  expect(acknowledged.filter((callId) => !intended.has(callId))).toEqual([])
  // Once each: none is forgotten, and none is called unknown that is on record.
  expect(ended.sort()).toEqual([...intended].sort())
  expect(unknown).toBeGreaterThan(ROUNDS)
  const { problems, inDoubt } = await verifyAudit({ directory: directory.path, complete: true })
  expect({ problems, inDoubt }).toEqual({ problems: [], inDoubt: [] })
})
