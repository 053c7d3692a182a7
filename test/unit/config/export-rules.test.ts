import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseConfig } from '../../../gateway/config/load.ts'
import { ConfigError } from '../../../gateway/config/problem.ts'
import { showConfig } from '../../../gateway/config/show.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'toolgate-config-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function load(exports: object) {
  const issuer = 'https://login.zyx.example'
  const settings = {
    identity: { issuers: [{ issuer, audiences: ['https://a.example'], jwks: { uri: `${issuer}/jwks` } }] },
    audit: { exports },
    connectors: { github: { credential: { type: 'none' } } },
  }
  return parseConfig(JSON.stringify(settings), { environment: { TOKEN: 'hunter2' }, folder })
}

function problemsOf(exports: object): readonly string[] {
  try {
    load(exports)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, reason }) => `${path} ${reason}`)
    throw error
  }
  return []
}

describe('the settings of exports', () => {
  const webhook = { url: 'https://siem.zyx.example' }

  it('are none until they are asked for, and then whole', () => {
    expect(load({}).audit.exports).toEqual({})
    expect(load({ siem: { webhook } }).audit.exports['siem']).toMatchObject({
      format: 'entry',
      batchEntries: 500,
      webhook: { resource: 'audit', timeoutMs: 15_000 },
    })
  })

  it('name one target each', () => {
    expect(problemsOf({ siem: {} })).toEqual([
      expect.stringMatching(/^audit\.exports\.siem needs exactly one of/),
    ])
    expect(problemsOf({ siem: { webhook, file: 'a.jsonl' } })).toHaveLength(1)
  })

  it('send nothing in the clear to another machine', () => {
    expect(problemsOf({ siem: { webhook: { url: 'http://siem.zyx.example' } } })).toEqual([
      'audit.exports.siem.webhook.url must be https (http only on loopback)',
    ])
  })

  it('write no file in the record, and no file twice', () => {
    expect(problemsOf({ tail: { file: '.toolgate/audit/tail.jsonl' } })).toEqual([
      'audit.exports.tail.file lies in audit.directory',
    ])
    expect(problemsOf({ a: { file: 'tail.jsonl' }, b: { file: 'tail.jsonl' } })).toEqual([
      'audit.exports.b.file is also that of audit.exports.a',
    ])
  })

  it('reach syslog without TLS on this machine only', () => {
    const plain = { tls: false, port: 514 }
    expect(problemsOf({ siem: { syslog: { host: '127.0.0.1', ...plain } } })).toEqual([])
    expect(problemsOf({ siem: { syslog: { host: 'siem.zyx.example', ...plain } } })).toEqual([
      'audit.exports.siem.syslog.tls is off on loopback only',
    ])
    expect(load({ siem: { syslog: { host: 'siem.zyx.example' } } }).audit.exports['siem']).toMatchObject({
      syslog: { port: 6_514, tls: true },
    })
  })

  it('name a bucket, and lock for a time or not at all', () => {
    const keys = { accessKeyId: 'env:TOKEN', secretAccessKey: 'env:TOKEN' }
    const s3 = { url: 'https://s3.zyx.example', bucket: 'record', ...keys }
    expect(load({ vault: { s3 } }).audit.exports['vault']).toMatchObject({
      s3: { region: 'us-east-1', prefix: '', gatherMs: 60_000 },
    })
    expect(load({ vault: { s3 } }).audit.exports['vault']?.s3?.objectLock).toBeUndefined()
    expect(problemsOf({ vault: { s3: { ...s3, objectLock: { mode: 'COMPLIANCE' } } } })).toEqual([
      'audit.exports.vault.s3.objectLock.retentionDays is required',
    ])
    expect(problemsOf({ vault: { s3: { ...s3, prefix: '../other' } } })).toHaveLength(1)
  })

  it('refer to secrets that are there, and never show them', () => {
    expect(problemsOf({ siem: { webhook: { ...webhook, signingSecret: 'env:MISSING' } } })).toEqual([
      'audit.exports.siem.webhook.signingSecret the variable MISSING is not set',
    ])
    const config = load({ siem: { webhook: { ...webhook, token: 'env:TOKEN' } } })
    expect(JSON.stringify(showConfig(config))).not.toContain('hunter2')
  })
})
