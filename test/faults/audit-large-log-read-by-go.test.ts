import { randomInt } from 'node:crypto'
import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parseVerifierKey } from '../../gateway/audit/tlog/verifier-key.ts'
import { verifyAudit } from '../../gateway/audit/verify/verify-audit.ts'
import { buildAuditVerifier } from '../harness/audit-verifier.ts'
import { startGrowingLog } from '../harness/growing-log.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

const SIZES = [65_535, 65_536, 65_537, 65_538 + randomInt(20_000)]

it(`a log of ${SIZES.join(', ')} entries is read by Go and by toolgate audit verify alike`, async () => {
  const go = await buildAuditVerifier()
  await using log = await startGrowingLog()
  await using copies = await temporaryDirectory()
  const old: string[] = []
  for (const size of SIZES) {
    old.push(await log.growTo(size))
    expect(await go.verify(log.directory, log.key, old)).toBe(`ok gateway.example/n/e ${String(size)}`)
    await mkdir(join(copies.path, 'n'), { recursive: true })
    await cp(log.directory, join(copies.path, 'n/e'), { recursive: true })
    const { logs, problems } = await verifyAudit({
      directory: copies.path,
      keys: [parseVerifierKey(log.key)],
    })
    expect(logs).toMatchObject([{ entries: size, signed: size }])
    // These entries are digits, and no log of a gateway begins so.
    expect(problems.filter(({ code }) => code !== 'order.start')).toEqual([])
  }
})
