import { writeFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { type AuditEntry, decodeEntry } from '../../gateway/audit/entry.ts'
import { openAudit } from '../../gateway/audit/open-audit.ts'
import { readEntries } from '../../gateway/audit/read-entries.ts'
import { ConfigError } from '../../gateway/config/problem.ts'
import { canonicalJson } from '../../gateway/policy/bundles/canonical-json.ts'
import { auditConfig } from '../harness/audit-config.ts'
import { startTestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'
import { ALLOW_EVERYTHING } from '../harness/permissive-rules.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'
import { until } from '../harness/until.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'

it('the record says which configuration and bundle decided, from when, and what was turned down', async () => {
  const bundle = await compileRules(ALLOW_EVERYTHING)
  const other = await compileRules(ALLOW_EVERYTHING.replaceAll('R001', 'R002'))
  await using toolgate = await startTestGateway({ bundle })
  const { gateway, loaded } = toolgate
  const changes = async (): Promise<AuditEntry[]> =>
    (await toolgate.records()).filter(({ type }) => type === 'config' || type === 'policy')

  await toolgate.send('GET', PULL)
  await gateway.reload(() => ({ ...loaded, limits: { ...loaded.limits, quotas: [] }, workers: 2 }))
  await gateway.reload(() => {
    throw new ConfigError([{ path: 'limits.rates', reason: 'is not a list' }])
  })
  const rates = [
    {
      name: 'all',
      by: ['agent'] as const,
      calls: 9,
      windowMs: 60_000,
      burst: 9,
      match: { connectors: [], operations: [], access: [], agents: [] },
    },
  ]
  await gateway.reload(() => ({ ...loaded, limits: { ...loaded.limits, rates } }))
  await writeFile(loaded.policy.bundle, 'no bundle')
  await until(async () => (await changes()).some(({ type }) => type === 'policy'))
  await writeFile(loaded.policy.bundle, other)
  await until(async () =>
    (await changes()).some((entry) => entry.type === 'policy' && entry.state === 'activated'),
  )

  const decision = (await toolgate.records()).find(({ type }) => type === 'decision')
  const policy = decision?.type === 'decision' ? decision.policy : undefined
  const entries = await changes()
  expect(entries).toMatchObject([
    { type: 'config', state: 'loaded', changed: [], policy },
    { type: 'config', state: 'rejected', problems: ['workers'] },
    { type: 'config', state: 'rejected', problems: ['limits.rates'] },
    { type: 'config', state: 'loaded', changed: ['limits'], policy },
    ...entries.slice(4, -1).map(() => ({ type: 'policy', state: 'rejected' })),
    { type: 'policy', state: 'activated' },
  ])
})

it('an epoch that ends in order ends with stop, and every entry is canonical JSON', async () => {
  await using directory = await temporaryDirectory()
  const config = auditConfig(directory.path)
  await (await openAudit({ config, node: 'worker-0', version: '1.2.3' }))[Symbol.asyncDispose]()
  const texts: string[] = []
  for await (const { bytes } of readEntries(directory.path)) texts.push(bytes.toString())
  expect(texts.map((text) => decodeEntry(Buffer.from(text))?.type)).toEqual(['start', 'stop'])
  expect(texts).toEqual(texts.map(canonicalJson))
})
