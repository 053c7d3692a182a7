import { readFile, rename } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'
import { until } from '../harness/until.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'

it('a reload opens the log file anew, so that one that was rotated away gets no more lines', async () => {
  await using toolgate = await startTestGateway()
  const { logDestination } = toolgate.loaded.telemetry
  const before = await toolgate.send('GET', PULL)
  await rename(logDestination, `${logDestination}.1`)
  await toolgate.gateway.reload(() => toolgate.loaded)
  const after = await toolgate.send('GET', PULL)
  await until(async () => (await toolgate.linesOf(after.callId)).length === 1)
  const rotated = await readFile(`${logDestination}.1`, 'utf8')
  expect(rotated).toContain(before.callId)
  expect(rotated).not.toContain(after.callId)
})

it('the last line says that the gateway stopped, and how many lines were lost', async () => {
  await using toolgate = await startTestGateway()
  await toolgate.gateway[Symbol.asyncDispose]()
  expect((await toolgate.logLines()).at(-1)).toMatchObject({ event: 'gateway.stopped', lost_lines: 0 })
})
