import { expect, it } from 'vitest'
import { FleetLog } from '../../gateway/audit/fleet-log.ts'
import { openAudit } from '../../gateway/audit/open-audit.ts'
import { verifyAudit } from '../../gateway/audit/verify/verify-audit.ts'
import { auditConfig } from '../harness/audit-config.ts'
import { syntheticOutcome, syntheticSealed } from '../harness/synthetic-call.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

it('a directory in use is found as signed, at whatever moment it is looked at', async () => {
  await using directory = await temporaryDirectory()
  const config = auditConfig(directory.path, {
    // A rotation and several checkpoints in every look.
    segmentLimitBytes: 65_536,
    checkpointIntervalMs: 5,
    disclosures: { ...auditConfig(directory.path).disclosures, enabled: false },
  })
  await using fleetLog = await FleetLog.open({ config, version: '0.1.0' })
  await using audit = await openAudit({ config, node: 'worker-1', version: '0.1.0' })
  await fleetLog.watch()
  const wrong = new AbortController()
  const isGrowing = (): boolean => audit.tree().size < 1_500 && !wrong.signal.aborted
  let looks = 0
  const grow = async (): Promise<void> => {
    while (isGrowing()) {
      const sealed = syntheticSealed({ access: 'write' })
      await audit.recorder.intend(sealed)
      await audit.recorder.conclude(sealed.permit.call, syntheticOutcome())
    }
  }
  const look = async (): Promise<void> => {
    for (; isGrowing(); looks++) {
      const { problems, logs } = await verifyAudit({ directory: directory.path })
      // A look that finds something is the last.
      if (problems.length > 0) wrong.abort()
      expect(problems).toEqual([])
      expect(logs).toHaveLength(2)
    }
  }
  await Promise.all([look(), ...Array.from({ length: 4 }, grow)])
  expect(looks).toBeGreaterThan(3)
})
