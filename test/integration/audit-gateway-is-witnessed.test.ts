import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openSigning } from '../../gateway/audit/open-signing.ts'
import { formatVerifierKey } from '../../gateway/audit/tlog/verifier-key.ts'
import { runAudit } from '../harness/audit-command.ts'
import { auditConfig } from '../harness/audit-config.ts'
import { startFakes } from '../harness/fakes.ts'
import { startIssuer } from '../harness/issuer.ts'
import { runningWitness } from '../harness/running-witness.ts'
import { writeStartConfig } from '../harness/start-config.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'
import { runToolgate, untilReady } from '../harness/toolgate-process.ts'

it('a gateway has its record witnessed, and says how that goes', async () => {
  await using folder = await temporaryDirectory()
  await using issuer = await startIssuer()
  await using fakes = await startFakes()
  const config = await writeStartConfig(folder.path, { issuer, fakes })
  const audit = { directory: config.auditDirectory, deployment: 'gateway.example', checkpointIntervalMs: 50 }
  const { keys } = await openSigning(auditConfig(audit.directory))
  await using witness = await runningWitness(join(folder.path, 'witness'), keys)
  const key = formatVerifierKey(witness.key)
  await config.write({ audit: { ...audit, witnesses: { quorum: 1, each: [{ key, url: witness.url }] } } })

  await using toolgate = runToolgate(['start', '--config', config.file], fakes.environment)
  await untilReady(toolgate, config.adminPort)
  const metrics = async (): Promise<string> =>
    (await fetch(`http://127.0.0.1:${String(config.adminPort)}/metrics`)).text()
  await expect
    .poll(metrics, { timeout: 20_000 })
    .toMatch(/toolgate_audit_witness_answers_total\{outcome="cosigned"\} [1-9]/)
  expect(await metrics()).toMatch(/toolgate_audit_quorum_timestamp_seconds \d{10}/)
  toolgate.signal('SIGTERM')
  expect(await toolgate.ended).toBe(0)

  const trusted = keys.flatMap((log) => ['--key', formatVerifierKey(log)])
  const verified = await runAudit([
    'verify',
    config.auditDirectory,
    ...trusted,
    '--witness',
    key,
    '--complete',
  ])
  expect(verified).toMatchObject({ exitCode: 0 })
})
