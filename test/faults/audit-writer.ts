/**
 * A process that puts calls on record as fast as it can, for tests that kill it or take its disk away.
 * `node audit-writer.ts DIRECTORY SEGMENT_LIMIT_BYTES until-killed|until-refused`: prints the id of every call whose
 * intent was acknowledged, with its access, and when it is refused how that looked.
 */
import { randomUUID } from 'node:crypto'
import { writeSync } from 'node:fs'
import { openAudit, type Audit } from '../../gateway/audit/open-audit.ts'
import { auditConfig } from '../harness/audit-config.ts'
import { syntheticOutcome, syntheticSealed } from '../harness/synthetic-call.ts'

const [directory = '', segmentLimitBytes = '', until = ''] = process.argv.slice(2)

async function writeCalls(audit: Audit, access: 'read' | 'write'): Promise<string> {
  for (;;) {
    const callId = randomUUID()
    const sealed = syntheticSealed({
      callId,
      access,
      declared: { rationale: 'r'.repeat(callId.charCodeAt(0)) },
    })
    const verdict = await audit.recorder.intend(sealed)
    if (!verdict.ok) return verdict.refusal.code
    writeSync(1, `${access} ${callId}\n`)
    // Every third call is left without an outcome, as calls in flight are.
    if (callId.charCodeAt(1) % 3 !== 0) {
      await audit.recorder.conclude(sealed.permit.call, syntheticOutcome()).catch(() => undefined)
    }
  }
}

await using audit = await openAudit({
  config: auditConfig(directory, { segmentLimitBytes: Number(segmentLimitBytes) }),
  node: 'worker-1',
  version: '0.1.0',
})
const writers = Array.from({ length: 32 }, (_, index) =>
  writeCalls(audit, index % 2 === 0 ? 'read' : 'write'),
)
const refusals = await Promise.all(writers)
if (until === 'until-killed') writeSync(2, `refused: ${JSON.stringify(audit.log.health())}\n`)
if (until === 'until-refused') {
  const again = await audit.recorder.intend(syntheticSealed())
  const result = { refusals, again, trouble: audit.recorder.trouble(), health: audit.log.health() }
  writeSync(1, `${JSON.stringify(result)}\n`)
}
