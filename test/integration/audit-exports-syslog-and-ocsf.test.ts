import { readFile } from 'node:fs/promises'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AuditConfig } from '../../gateway/config/audit-config.ts'
import type { ExportConfig, SyslogConfig } from '../../gateway/config/export-config.ts'
import { auditConfig } from '../harness/audit-config.ts'
import { idsIn, startExportCollector } from '../harness/export-collector.ts'
import { startTestGateway } from '../harness/gateway.ts'
import { createPki, type Pki } from '../harness/pki.ts'
import { recordLives, type RecordedLives } from '../harness/recorded-lives.ts'
import { byLog, recordedIds, runExports, webhookExport } from '../harness/run-exports.ts'
import { startSyslogReceiver } from '../harness/syslog-receiver.ts'
import { until } from '../harness/until.ts'

let lives: RecordedLives
let pki: Pki
let config: AuditConfig
beforeAll(async () => {
  lives = await recordLives()
  pki = createPki()
  config = auditConfig(lives.directory)
})
afterAll(async () => {
  await lives[Symbol.asyncDispose]()
  await pki[Symbol.asyncDispose]()
})

function syslogExport(syslog: Partial<SyslogConfig>): ExportConfig {
  const none = { caFile: undefined, clientCertificateFile: undefined, clientKeyFile: undefined }
  return {
    format: 'entry',
    batchEntries: 50,
    file: undefined,
    webhook: undefined,
    s3: undefined,
    syslog: { host: '127.0.0.1', port: 6_514, tls: true, timeoutMs: 5_000, ...none, ...syslog },
  }
}

const textOf = (message: string): string => message.slice(message.indexOf('{'))

describe('syslog', () => {
  it('carries the whole record over TLS, each log in its order', async () => {
    await using receiver = await startSyslogReceiver({ certificate: pki.server() })
    const exports = { tls: syslogExport({ port: receiver.port, caFile: pki.caFile }) }
    await using _running = runExports({ ...config, exports })
    const recorded = await recordedIds(config)
    const ids = (): string[] => receiver.messages.flatMap((message) => idsIn(textOf(message)))
    await until(() => new Set(ids()).size === [...recorded.values()].flat().length)
    expect(byLog(ids())).toEqual(recorded)
    for (const message of receiver.messages)
      expect(message).toMatch(/^<110>1 \d{4}-\d\d-\d\dT\S+Z [!-~]+ toolgate [a-z0-9-]+ [a-z]+ - \{/)
  })

  it.each([
    ['an authority that is not ours', () => ({ certificate: pki.server(), caFile: undefined })],
    [
      'another name',
      () => ({ certificate: pki.server({ dnsNames: ['else.example'], addresses: [] }), caFile: pki.caFile }),
    ],
  ])('tells nothing to a receiver whose certificate is of %s', async (_, made) => {
    const { certificate, caFile } = made()
    await using receiver = await startSyslogReceiver({ certificate })
    const exports = { untrusted: syslogExport({ port: receiver.port, caFile }) }
    await using running = runExports({ ...config, exports })
    await until(() => running.told.includes('untrusted'))
    expect(receiver.messages).toEqual([])
    expect(running.states()[0]?.lagEntries).toBeGreaterThan(0)
  })

  it('is sent again to a receiver that cut it off, here one of this machine without TLS', async () => {
    await using receiver = await startSyslogReceiver({ cuts: 2 })
    const exports = { plain: syslogExport({ port: receiver.port, tls: false }) }
    await using running = runExports({ ...config, exports })
    await until(() => running.told.join() === 'plain,+plain')
    await until(() => running.states()[0]?.lagEntries === 0)
    const ids = receiver.messages.flatMap((message) => idsIn(textOf(message)))
    expect(byLog(ids)).toEqual(await recordedIds(config))
  })
})

describe('the format ocsf', () => {
  it('has an event that OCSF takes for each entry of a call, with an id of its own', async () => {
    const schema = JSON.parse(await readFile('gateway/audit/export/ocsf-6003.schema.json', 'utf8')) as object
    const accepts = new Ajv2020({ allErrors: true, strict: false }).compile(schema)
    await using collector = await startExportCollector()
    const exports = { lake: webhookExport(collector.url, { format: 'ocsf' }) }
    await using running = runExports({ ...config, exports })
    await until(() => collector.requests.length > 0 && running.states()[0]?.lagEntries === 0)
    const events = collector.requests
      .flatMap(({ body }) => body.toString().trimEnd().split('\n'))
      .map((line) => JSON.parse(line) as { metadata: { uid: string; correlation_uid: string } })
    for (const event of events) expect([accepts(event), accepts.errors]).toEqual([true, null])
    const uids = events.map(({ metadata }) => metadata.uid)
    expect(new Set(uids).size).toBe(uids.length)
    const recorded = new Set([...(await recordedIds(config)).values()].flat())
    expect(uids.every((uid) => recorded.has(uid))).toBe(true)
    const calls = Map.groupBy(events, ({ metadata }) => metadata.correlation_uid)
    const whole = [...calls.values()].filter(({ length }) => length === 2)
    expect(whole.length).toBeGreaterThan(200)
    expect(whole[0]).toMatchObject([
      { status_id: 0, actor: { app_uid: 'change-review' } },
      { status_id: 1, actor: { app_uid: 'change-review' }, api: { operation: 'github.pulls/get' } },
    ])
  })
})

it('a gateway exports its record as it says in toolgate.yaml, and shows how far it is', async () => {
  await using collector = await startExportCollector()
  await using gateway = await startTestGateway({
    settings: { audit: { exports: { siem: { webhook: { url: collector.url } } } } },
  })
  await until(() => collector.requests.some(({ body }) => body.includes('"type":"start"')))
  const { text } = await gateway.gateway.metrics()
  expect(text).toMatch(/^toolgate_audit_export_delivered_total\{export="siem"\} \d+$/m)
  expect(text).toMatch(/^toolgate_audit_export_lag_seconds\{export="siem"\} /m)
})
