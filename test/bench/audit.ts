/**
 * What it costs to be on record: intent and outcome of each call, by durability and calls in flight; the log alone, entry
 * by entry, and verifying it; the log line with the metrics. `node test/bench/audit.ts`; ends by itself. CPU is that of this process, threads
 * included.
 */
import { randomUUID } from 'node:crypto'
import { openAudit } from '../../gateway/audit/open-audit.ts'
import { readEntries } from '../../gateway/audit/read-entries.ts'
import { verifyAudit, type AuditReport } from '../../gateway/audit/verify/verify-audit.ts'
import { createTelemetry } from '../../gateway/telemetry/telemetry.ts'
import { auditConfig } from '../harness/audit-config.ts'
import { syntheticCall, syntheticOutcome, syntheticSealed } from '../harness/synthetic-call.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'
import { countOf, isShort, ownProcessorMicroseconds, quantile } from './measure.ts'
import { DECLARED, SEGMENT_LIMIT_BYTES, withNewId } from './parts/recorded-calls.ts'

const CALLS = countOf(40_000)

/** What a figure is held against; a short run is too short for any. */
interface Goal {
  readonly leastPerSecond: number
  readonly mostCpuUs?: number
  readonly mostP99Ms?: number
}

const STRICT: Goal = { leastPerSecond: 20_000, mostCpuUs: 20, mostP99Ms: 25 }
const VERIFY: Goal = { leastPerSecond: 150_000 }

const OUTCOME = syntheticOutcome()

for (const access of ['read', 'write'] as const) {
  for (const inFlight of [1, 64, 512]) await benchAudit(access, inFlight, inFlight === 1 ? CALLS / 20 : CALLS)
}
await benchEntries(CALLS * 5)
await benchTelemetry(CALLS)

/**
 * The log alone: entries of calls that are made already, each fsynced, with tiles and checkpoints; then how fast they
 * are verified. Half of them are decisions and half outcomes, of the sizes that they have.
 */
async function benchEntries(entries: number): Promise<void> {
  await using directory = await temporaryDirectory()
  const config = auditConfig(directory.path, { segmentLimitBytes: SEGMENT_LIMIT_BYTES })
  const templates = await templatesOf()
  const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = templates
  {
    await using audit = await openAudit({ config, node: 'bench', version: '0' })
    const acksMs: number[] = []
    let left = entries / 2
    const oneAfterAnother = async (): Promise<void> => {
      while (left-- > 0) {
        const id = randomUUID()
        for (const template of templates) {
          // In its place: making the entry is not what this measures.
          template.write(id, '{"call":"'.length)
          const startedMs = performance.now()
          await audit.log.append(template, 'strict')
          acksMs.push(performance.now() - startedMs)
        }
      }
    }
    await report(
      `strict, ${first.length} and ${second.length} B`,
      entries,
      acksMs,
      () => Promise.all(Array.from({ length: 512 }, oneAfterAnother)),
      STRICT,
    )
  }
  let found: AuditReport | undefined
  await report(
    'verify',
    entries,
    [],
    async () => void (found = await verifyAudit({ directory: directory.path, complete: true })),
    VERIFY,
  )
  const whole = found?.logs.some(({ signed }) => signed === entries + 2) === true
  if (!whole || found?.problems.length !== 0) throw new Error('verify did not find what was written')
}

/** A decision and an outcome as the recorder makes them. */
async function templatesOf(): Promise<Buffer[]> {
  await using directory = await temporaryDirectory()
  const sealed = syntheticSealed({ callId: randomUUID(), declared: DECLARED, body: '{"a":1}' })
  {
    await using audit = await openAudit({ config: auditConfig(directory.path), node: 'bench', version: '0' })
    await audit.recorder.intend(sealed)
    await audit.recorder.conclude(sealed.permit.call, OUTCOME)
  }
  const templates: Buffer[] = []
  for await (const { bytes } of readEntries(directory.path)) {
    if (bytes.toString().startsWith('{"call":"')) templates.push(Buffer.from(bytes))
  }
  return templates
}

async function benchAudit(access: 'read' | 'write', inFlight: number, calls: number): Promise<void> {
  await using directory = await temporaryDirectory()
  await using audit = await openAudit({
    config: auditConfig(directory.path, { segmentLimitBytes: SEGMENT_LIMIT_BYTES }),
    node: 'bench',
    version: '0',
  })
  const { recorder } = audit
  const template = syntheticSealed({ access, declared: DECLARED, body: access === 'read' ? '' : '{"a":1}' })
  const intentsMs: number[] = []
  let left = calls
  const oneAfterAnother = async (): Promise<void> => {
    while (left-- > 0) {
      const sealed = withNewId(template)
      const startedMs = performance.now()
      const verdict = await recorder.intend(sealed)
      if (!verdict.ok) throw new Error(verdict.refusal.code)
      intentsMs.push(performance.now() - startedMs)
      await recorder.conclude(sealed.permit.call, OUTCOME)
    }
  }
  await report(`${access}, ${String(inFlight)} in flight`, calls, intentsMs, () =>
    Promise.all(Array.from({ length: inFlight }, oneAfterAnother)),
  )
}

async function benchTelemetry(calls: number): Promise<void> {
  await using telemetry = await createTelemetry({
    config: { logLevel: 'info', logDestination: '/dev/null' },
    version: '0',
    connectors: ['github'],
  })
  const call = syntheticCall()
  const outcome = syntheticOutcome()
  await report('log line and metrics', calls, [], async () => {
    for (let count = 0; count < calls; count++) {
      telemetry.events.callFinished(call, outcome, 14)
      // Lets the log write, as it would between calls.
      if (count % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
  })
}

async function report(
  name: string,
  calls: number,
  samplesMs: number[],
  work: () => Promise<unknown>,
  goal?: Goal,
): Promise<void> {
  const startedMs = performance.now()
  const beforeUs = ownProcessorMicroseconds()
  await work()
  const cpuUs = ownProcessorMicroseconds() - beforeUs
  const seconds = (performance.now() - startedMs) / 1_000
  const at = (share: number): string => (samplesMs.length === 0 ? '–' : quantile(samplesMs, share).toFixed(2))
  console.log(
    `${name.padEnd(24)} ${(calls / seconds).toFixed(0).padStart(7)} /s   ack p50 ${at(0.5)} ms, p99 ${at(0.99)} ms   ` +
      `${(cpuUs / calls).toFixed(1)} µs CPU each`,
  )
  if (goal === undefined || isShort) return
  const { leastPerSecond, mostCpuUs = Infinity, mostP99Ms = Infinity } = goal
  const p99Ms = samplesMs.length === 0 ? 0 : quantile(samplesMs, 0.99)
  const isMet = calls / seconds >= leastPerSecond && cpuUs / calls <= mostCpuUs && p99Ms <= mostP99Ms
  const wanted = [
    `at least ${leastPerSecond} /s`,
    ...(mostP99Ms === Infinity ? [] : [`p99 at most ${mostP99Ms} ms`]),
    ...(mostCpuUs === Infinity ? [] : [`at most ${mostCpuUs} µs each`]),
  ]
  console.log(`${''.padEnd(24)} goal ${isMet ? 'met' : 'MISSED'}: ${wanted.join(', ')}`)
}
