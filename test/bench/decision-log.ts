/** What the decision log costs a call, and what it costs afterwards. `node test/bench/decision-log.ts`; ends by itself. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CallId } from '../../gateway/exchange.ts'
import { createRandomPool } from '../../gateway/lib/random-pool.ts'
import { createUuidV7 } from '../../gateway/lib/uuid-v7.ts'
import { POLICIES_DIRECTORY } from '../../gateway/policy/authoring/policies-directory.ts'
import { readCases } from '../../gateway/policy/authoring/cases.ts'
import { ChunkPacker } from '../../gateway/policy/decision-log/chunk-packer.ts'
import { decisionEvent, madeDecision, type Made } from '../../gateway/policy/decision-log/event.ts'
import { prepareEvent } from '../../gateway/policy/decision-log/log-rules.ts'
import { decisionLogConfig, openDecisionLog, UPLOAD_NEVER } from '../harness/decision-log.ts'
import { startPolicy } from '../harness/opa.ts'
import { aCall } from '../unit/policy/call.ts'
import { countOf, ownProcessorMicroseconds, printTimeOf } from './measure.ts'

const LABELS = { id: '0a9e3f0e-5a55-4b55-8bd5-0f7d3f5f3a10', version: '1' }
const uuid = createUuidV7(() => Date.now(), createRandomPool())
const NOWHERE = 'http://127.0.0.1:1'

const cases = await readCases(join(POLICIES_DIRECTORY, 'cases'))
const input = cases.find(({ title }) => title.includes('comment on the change ticket'))?.input
if (input === undefined) throw new Error('there is no case of a comment')
await using running = await startPolicy(await readFile(join(POLICIES_DIRECTORY, 'bundle.tar.gz')))
const { policy } = running
const verdict = await policy.decide(input)
const made: Made = {
  digest: policy.digest,
  bundles: policy.bundles,
  input,
  verdict,
  begunMs: 1,
  builtMs: 2,
  decidedMs: 3,
}
const call = aCall()

/** What the call itself pays; the events are taken away now and then, as turns of their own would. */
async function benchCall(): Promise<void> {
  const silent = { evaluateLog: () => ({ defined: true, result: true }) as const }
  await using opened = await openDecisionLog(decisionLogConfig(NOWHERE, UPLOAD_NEVER))
  printTimeOf('admit and record, on the path of the call', () => {
    if (opened.log.admits() !== true) throw new Error('there is no room')
    opened.log.record(call, made, silent)
  })
}

/** Processor time of one event from the decision to its bytes. */
async function benchEvents(): Promise<readonly Buffer[]> {
  const count = countOf(20_000)
  const prepare = async (number: number): Promise<Buffer> => {
    const arrival = { ...call.arrival, callId: uuid() as CallId }
    const decision = madeDecision({ ...call, arrival }, made, [])
    const prepared = await prepareEvent(decisionEvent(decision, LABELS, number), policy)
    if (prepared.kind === 'dropped' || prepared.failures.length > 0) throw new Error('the mask failed')
    return Buffer.from(JSON.stringify(prepared.event))
  }
  for (let number = 0; number < countOf(2_000); number += 1) await prepare(number)
  const events: Buffer[] = []
  const startedUs = ownProcessorMicroseconds()
  for (let number = 0; number < count; number += 1) events.push(await prepare(number))
  print('drop, mask and encode', ownProcessorMicroseconds() - startedUs, count)
  console.log(`one event: ${String(events[0]?.length)} bytes`)
  return events
}

async function benchPacking(events: readonly Buffer[]): Promise<void> {
  const packer = new ChunkPacker(32_768)
  const startedUs = ownProcessorMicroseconds()
  let chunks = 0
  let packedBytes = 0
  for (let left = events; left.length > 0; chunks += 1) {
    const { chunk, taken } = await packer.pack(left.slice(0, 4_096))
    packedBytes += chunk?.length ?? 0
    left = left.slice(taken)
  }
  print('pack and compress', ownProcessorMicroseconds() - startedUs, events.length)
  console.log(`${chunks} chunks, ${(packedBytes / chunks / 327.68).toFixed(0)} % full`)
}

function print(name: string, elapsedUs: number, count: number): void {
  console.log(
    `${name.padEnd(44)} ${(elapsedUs / count).toFixed(2).padStart(8)} µs of processor time an event`,
  )
}

printTimeOf('the decision itself, for comparison', () => policy.decide({ ...input }))
await benchCall()
await benchPacking(await benchEvents())
