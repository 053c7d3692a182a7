import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startTestAdmin } from '../harness/admin.ts'
import { everyPanelHasData } from '../harness/dashboard.ts'
import { startTestGateway } from '../harness/gateway.ts'
import { startPrometheus } from '../harness/prometheus.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'

it('every panel of the dashboard shows data of a running gateway after an allowed and a denied call', async () => {
  await using folder = await temporaryDirectory()
  await using toolgate = await startTestGateway({
    settings: { audit: { exports: { tail: { file: join(folder.path, 'record.jsonl') } } } },
  })
  const { gateway } = toolgate
  await using admin = await startTestAdmin({ token: 'operators' }, gateway)
  await using prometheus = await startPrometheus([
    { host: '127.0.0.1', port: admin.port, token: 'operators' },
  ])
  const body = { body: '{}', headers: { 'content-type': 'application/json' } }
  expect((await toolgate.send('GET', PULL)).status).toBe(200)
  expect((await toolgate.send('PUT', `${PULL}/merge`, body)).status).toBe(403)
  await prometheus.scraped(3)
  await everyPanelHasData(prometheus, { rateInterval: '10s' })
  expect(await prometheus.alerts()).toEqual([])
})
