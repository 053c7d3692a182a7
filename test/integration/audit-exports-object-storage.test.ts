import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { auditConfig } from '../harness/audit-config.ts'
import { startExportCollector } from '../harness/export-collector.ts'
import { recordLives } from '../harness/recorded-lives.ts'
import { byLog, fileExport, recordedIds, runExports } from '../harness/run-exports.ts'
import { until } from '../harness/until.ts'

it('the record lies in object storage whole, one object after the other, locked for as long as was asked for', async () => {
  await using lives = await recordLives()
  await using storage = await startExportCollector((_, number) => (number === 2 ? 503 : 200))
  const config = auditConfig(lives.directory, {
    exports: {
      vault: fileExport('', {
        batchEntries: 50,
        file: undefined,
        s3: {
          url: storage.url,
          timeoutMs: 5_000,
          clientCertificateFile: undefined,
          clientKeyFile: undefined,
          caFile: undefined,
          region: 'eu-central-1',
          bucket: 'record',
          prefix: 'gateways',
          accessKeyId: { source: 'env', name: 'ID' },
          secretAccessKey: { source: 'env', name: 'KEY' },
          gatherMs: 250,
          objectLock: { mode: 'COMPLIANCE', retentionDays: 10 },
        },
      }),
    },
  })
  await using _running = runExports(config, { ID: 'AKIAEXAMPLE', KEY: 'secret' })
  const recorded = await recordedIds(config)
  await until(() => new Set(storage.taken).size === [...recorded.values()].flat().length)
  expect(byLog(storage.taken)).toEqual(recorded)
  for (const { path, headers, body } of storage.requests) {
    expect(path).toMatch(
      /^\/record\/gateways\/gateway\.example\/[a-z0-9-]+\/[A-Za-z0-9-]+\/\d{12}-\d{12}\.jsonl$/,
    )
    expect(headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE\/\d{8}\/eu-central-1\/s3\/aws4_request,SignedHeaders=\S+x-amz-object-lock-mode;/,
    )
    expect(headers['x-amz-checksum-sha256']).toBe(createHash('sha256').update(body).digest('base64'))
    expect(headers['x-amz-object-lock-mode']).toBe('COMPLIANCE')
    const lockedMs = Date.parse(String(headers['x-amz-object-lock-retain-until-date'])) - Date.now()
    expect(Math.round(lockedMs / 86_400_000)).toBe(10)
  }
})
