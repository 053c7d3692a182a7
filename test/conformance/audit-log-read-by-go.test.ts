import { randomInt } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { formatVerifierKey } from '../../gateway/audit/tlog/verifier-key.ts'
import { listKeys } from '../../gateway/audit/tlog/signing-key.ts'
import { buildAuditVerifier, type AuditVerifier } from '../harness/audit-verifier.ts'
import { startGrowingLog } from '../harness/growing-log.ts'
import { recordLives } from '../harness/recorded-lives.ts'

let go: AuditVerifier
beforeAll(async () => {
  go = await buildAuditVerifier()
}, 120_000)

/** Larger ones, up to 65,537, are with the faults: writing them takes a while. */
const SIZES = [0, 1, 2, 255, 256, 257, 258 + randomInt(3_000)]

describe('a verifier built from golang.org/x/mod/sumdb', () => {
  it(`reads a log as it grows to ${SIZES.join(', ')} entries, and finds each checkpoint to continue those before`, async () => {
    await using log = await startGrowingLog()
    const old: string[] = []
    for (const size of SIZES) {
      old.push(await log.growTo(size))
      expect(await go.verify(log.directory, log.key, old)).toBe(`ok gateway.example/n/e ${String(size)}`)
    }
  })

  it('reads every log that gateways leave, killed or not, and the fleet log', async () => {
    await using lives = await recordLives()
    const [key] = (await listKeys(lives.directory)).map(formatVerifierKey)
    for (const node of ['worker-1', 'worker-2', 'fleet'] as const) {
      for (const which of ['killed', 'ended'] as const) {
        const { directory, epoch } = lives.life(node, which)
        const said = await go.verify(directory, key ?? '')
        expect(said).toMatch(new RegExp(`^ok gateway\\.example/${node}/${epoch} \\d+$`))
      }
    }
  })

  it('refuses what was tampered with', async () => {
    await using log = await startGrowingLog()
    const before = await log.growTo(300)
    await log.growTo(600)
    for (const [file, at, said] of [
      ['tile/entries/001', 40, /the entries have root/],
      ['tile/0/000', 40, /tile\/0\/000: not the hashes of the entries/],
      ['tile/1/000.p/2', 3, /tile\/1\/000.p\/2: not the hashes/],
      ['checkpoint', 21, /invalid signature/],
    ] as const) {
      const path = join(log.directory, file)
      const bytes = readFileSync(path)
      const changed = Buffer.from(bytes)
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
      writeFileSync(path, changed)
      expect(await go.verify(log.directory, log.key)).toMatch(said)
      writeFileSync(path, bytes)
    }
    await using another = await startGrowingLog()
    await another.growTo(600)
    expect(await go.verify(another.directory, another.key, [before])).toMatch(/no verifiable signatures/)
  })
})
