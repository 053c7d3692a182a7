// Five answers of 500 within ten seconds closed an upstream to everybody: one agent that knew a request at which the
// upstream fails could keep all others, of all tenants, from it for as long as it liked.
import { expect, test } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'
import { startUpstream } from '../harness/upstream.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'
const POISON = '/github/repos/zyx/platform-infra/pulls/500'

test('an agent at which the upstream fails keeps no other agent from it', async () => {
  await using upstream = await startUpstream((request, response) => {
    const status = request.url?.endsWith('/500') === true ? 500 : 200
    response.writeHead(status, { 'content-type': 'application/json' }).end('{}')
  })
  await using toolgate = await startTestGateway({ upstream: upstream.origin })
  const other = () => ({ token: toolgate.token({ claims: { client_id: 'release-agent' } }) })
  expect((await toolgate.send('GET', PULL, other())).status).toBe(200)
  for (let call = 0; call < 10; call += 1) {
    expect((await toolgate.send('GET', POISON)).status).toBe(500)
  }
  expect((await toolgate.send('GET', PULL, other())).status).toBe(200)
})

test('an upstream that fails at everybody is left alone', async () => {
  await using upstream = await startUpstream((_, response) => {
    response.writeHead(500, { 'content-type': 'application/json' }).end('{}')
  })
  await using toolgate = await startTestGateway({ upstream: upstream.origin })
  for (let call = 0; call < 5; call += 1) await toolgate.send('GET', PULL)
  expect(await toolgate.send('GET', PULL)).toMatchObject({ code: 'breaker.upstream_open' })
})
