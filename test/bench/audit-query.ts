/**
 * Looking calls up in a record of a million entries: making the index, bringing it up to date, and answers by each
 * kind of question. `node test/bench/audit-query.ts`; ends by itself.
 */
import { appendFile, mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { encodeEntry, type DecisionEntry, type OutcomeEntry } from '../../gateway/audit/entry.ts'
import { encodeControl, frameBytes, writeFrame } from '../../gateway/audit/frame.ts'
import { openAuditIndex, type AuditIndex } from '../../gateway/audit/index/audit-index.ts'
import { searchCalls, type CallFilter } from '../../gateway/audit/index/search-calls.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'
import { countOf, ownProcessorMicroseconds, quantile } from './measure.ts'

const ENTRIES = countOf(1_000_000)
const SEGMENT_ENTRIES = 50_000
const EPOCH = '20261125T090000000Z-00000000'
const START_MS = Date.UTC(2026, 10, 25, 9)

await using directory = await temporaryDirectory()
const folder = join(directory.path, 'worker-0', EPOCH)
await mkdir(folder, { recursive: true })
let sizeBytes = 0
for (let first = 0; first < ENTRIES; first += SEGMENT_ENTRIES) sizeBytes += await writeSegment(first)
console.log(`${ENTRIES.toLocaleString('en')} entries, ${(sizeBytes / 1e6).toFixed(0)} MB`)

const beforeUs = ownProcessorMicroseconds()
const madeMs = await timed(async () =>
  (await openAuditIndex({ auditDirectory: directory.path }))[Symbol.dispose](),
)
const { size } = await stat(join(directory.path, 'index.sqlite'))
console.log(
  `index made          ${(madeMs / 1_000).toFixed(1)} s, ${((ownProcessorMicroseconds() - beforeUs) / ENTRIES).toFixed(1)} µs CPU per entry, ${(size / 1e6).toFixed(0)} MB, ` +
    `${(process.memoryUsage().rss / 1e6).toFixed(0)} MB resident`,
)
await appendFile(join(folder, segmentOf(ENTRIES - 1)), frameOf(entryOf(ENTRIES)))
console.log(
  `brought up to date  ${(await timed(async () => (await openAuditIndex({ auditDirectory: directory.path }))[Symbol.dispose]())).toFixed(1)} ms for one more entry`,
)

using index = await openAuditIndex({ auditDirectory: directory.path })
const middle = START_MS + ENTRIES / 4
for (const [name, filter] of [
  ['by call', { call: callId(ENTRIES / 4) }],
  ['by task', { task: `T-${(ENTRIES / 4) % 5_000}` }],
  ['by agent', { agent: 'agent-7' }],
  ['by principal', { principal: 'person-777' }],
  ['by operation and time', { operation: 'github.operation-9', fromMs: middle, toMs: middle + 60_000 }],
  ['by decision', { decision: 'deny' }],
  ['by resource', { resources: ['zyx/repository-99'] }],
  ['by time', { fromMs: middle, toMs: middle + 1_000 }],
  ['no such thing', { agent: 'nobody' }],
] satisfies [string, CallFilter][]) {
  report(name, index, filter)
}

function report(name: string, at: AuditIndex, filter: CallFilter): void {
  const samples: number[] = []
  let found = 0
  for (let round = 0; round < 25; round += 1) {
    const startedMs = performance.now()
    found = [...searchCalls(at, filter, { order: 'newest', limit: 100 })].length
    samples.push(performance.now() - startedMs)
  }
  console.log(
    `${name.padEnd(24)} ${String(found).padStart(4)} calls  p50 ${quantile(samples, 0.5).toFixed(2)} ms, p99 ${quantile(samples, 0.99).toFixed(2)} ms`,
  )
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedMs = performance.now()
  await work()
  return performance.now() - startedMs
}

async function writeSegment(first: number): Promise<number> {
  const segment = first / SEGMENT_ENTRIES + 1
  const header = {
    kind: 'segment',
    format: 'toolgate-wal-1',
    epoch: EPOCH,
    segment,
    firstIndex: first,
    carried: 0,
  } as const
  const head = encodeControl(header)
  const frames: Buffer[] = [Buffer.alloc(frameBytes(head.length))]
  writeFrame(frames[0] ?? head, 0, head, true)
  for (let number = first; number < Math.min(ENTRIES, first + SEGMENT_ENTRIES); number += 1) {
    frames.push(frameOf(entryOf(number)))
  }
  const bytes = Buffer.concat(frames)
  await writeFile(join(folder, segmentOf(first)), bytes)
  return bytes.length
}

function segmentOf(number: number): string {
  return `segment-${String(Math.floor(number / SEGMENT_ENTRIES) + 1).padStart(6, '0')}.wal`
}

function frameOf(entry: DecisionEntry | OutcomeEntry): Buffer {
  const bytes = encodeEntry(entry)
  const frame = Buffer.alloc(frameBytes(bytes.length))
  writeFrame(frame, 0, bytes, false)
  return frame
}

function callId(call: number): string {
  return `01a214e9-0000-7000-8000-${call.toString(16).padStart(12, '0')}`
}

/** Intent and outcome in turn, a call each millisecond; one in twenty is denied. */
function entryOf(number: number): DecisionEntry | OutcomeEntry {
  const call = Math.floor(number / 2)
  const time = new Date(START_MS + call).toISOString()
  const main = {
    declared: { task: `T-${call % 5_000}`, ticket: 'CHG-18422' },
    disclosed: { declared: 'd'.repeat(43), input: 'i'.repeat(43), params: 'p'.repeat(43) },
    environment: 'production',
    policy: { digest: `sha256:${'0'.repeat(64)}`, revision: '2026-11-25.1' },
    received: time,
    resource: {
      account: `hmac:2026-11:${'a'.repeat(22)}`,
      amount: 0,
      channel: '',
      currency: '',
      project: '',
      repository: `zyx/repository-${call % 500}`,
    },
    risk: 2,
    time,
    trace: '4bf92f3577b34da6a3ce929d0e0e4736',
    v: 1,
    what: { access: 'read', connector: 'github', method: 'GET', operation: `github.operation-${call % 60}` },
    who: {
      act: [`agent-${call % 40}`],
      agent: `agent-${call % 40}`,
      binding: 'dpop',
      issuer: 'https://login.bank.example',
      key: 'k'.repeat(43),
      principal: `person-${call % 2_000}`,
      tenant: 'zyx-bank',
      token: '01a214e9-token',
    },
  } as const
  if (number % 2 === 1)
    return { ...outcomeOf(call, time, 'allowed'), reply: { bytes: 600, digest: `hmac:${'r'.repeat(43)}` } }
  if (call % 20 === 0) return { ...main, ...outcomeOf(call, time, 'policy.denied') }
  const request = { bytes: 0, digest: '', kind: 'none' }
  return {
    ...main,
    call: callId(call),
    credential: 'file:1',
    decision: 'allow',
    obligations: [],
    reasons: [],
    request,
    type: 'decision',
  }
}

function outcomeOf(call: number, time: string, outcome: 'allowed' | 'policy.denied'): OutcomeEntry {
  return {
    call: callId(call),
    detail: '',
    ms: 14.2,
    outcome,
    reasons: [],
    status: 200,
    time,
    type: 'outcome',
    v: 1,
  }
}
