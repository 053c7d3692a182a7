import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseConfig } from '../../../gateway/config/load.ts'
import { ConfigError } from '../../../gateway/config/problem.ts'
import { showConfig } from '../../../gateway/config/show.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'toolgate-config-'))
  writeFileSync(join(folder, 'bundle.tar.gz'), '')
  writeFileSync(join(folder, 'client.pem'), '')
})
afterAll(() => rmSync(folder, { recursive: true }))

const service = { url: 'https://collector.zyx.example' }

function load(policy: object) {
  const settings = {
    identity: {
      issuers: [
        {
          issuer: 'https://login.zyx.example',
          audiences: ['https://toolgate.zyx.example'],
          jwks: { uri: 'https://login.zyx.example/jwks' },
        },
      ],
    },
    policy: { bundle: 'bundle.tar.gz', ...policy },
    connectors: { github: { credential: { type: 'none' } } },
  }
  return parseConfig(JSON.stringify(settings), { environment: { TOKEN: 'hunter2' }, folder })
}

function problemsOf(policy: object): readonly string[] {
  try {
    load(policy)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, reason }) => `${path} ${reason}`)
    throw error
  }
  return []
}

describe('the settings of the decision log and of status reports', () => {
  it('are absent until they are asked for, and then OPA’s own', () => {
    expect(load({}).policy).toMatchObject({ labels: {} })
    expect(load({}).policy.decisionLog).toBeUndefined()
    const { decisionLog, status } = load({ decisionLog: { service }, status: { service } }).policy
    expect(decisionLog).toMatchObject({
      resource: 'logs',
      trigger: 'periodic',
      minDelayMs: 300_000,
      maxDelayMs: 600_000,
      uploadLimitBytes: 32_768,
      buffer: { onFull: 'drop' },
    })
    expect(status).toMatchObject({ resource: 'status', metrics: false })
  })

  it('name a token by reference', () => {
    const config = load({ decisionLog: { service: { ...service, token: 'env:TOKEN' } } })
    expect(JSON.stringify(showConfig(config))).toContain('env:TOKEN')
    expect(JSON.stringify(showConfig(config))).not.toContain('hunter2')
  })

  it.each([
    [
      { service: { url: 'http://collector.zyx.example' } },
      'service.url must be https (http only on loopback)',
    ],
    [
      { service: { ...service, clientKeyFile: 'client.pem' } },
      'clientKeyFile and clientCertificateFile need each other',
    ],
    [{ service: { ...service, token: 'env:NOBODY' } }, 'service.token the variable NOBODY is not set'],
    [{ service: { ...service, caFile: 'gone.pem' } }, 'gone.pem cannot be read'],
    [{ service, minDelayMs: 2_000, maxDelayMs: 1_000 }, 'minDelayMs must not be above maxDelayMs'],
    [
      { service, requestHeaders: ['X-Team', 'Authorization'] },
      'requestHeaders.1 Authorization carries a credential',
    ],
    [{ service, requestHeaders: ['dPoP'] }, 'requestHeaders.0 dPoP carries a credential'],
    [
      { service, maxDecisionsPerSecond: 5, buffer: { onFull: 'deny' } },
      'maxDecisionsPerSecond loses decisions, and buffer.onFull deny shall lose none',
    ],
    [{ service, resource: '../admin' }, 'resource must match pattern'],
    [{}, 'policy.decisionLog.service is required'],
  ])('are refused where they are wrong together: %o', (decisionLog, said) => {
    expect(problemsOf({ decisionLog }).join('\n')).toContain(said)
  })

  it.each(['id', 'version', ' '])('have no label %o of their own', (name) => {
    expect(problemsOf({ labels: { [name]: 'x' } })).not.toEqual([])
  })
})
