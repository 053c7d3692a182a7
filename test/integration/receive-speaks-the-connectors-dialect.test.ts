import { expect, it } from 'vitest'
import type { Addressed } from '../../gateway/catalog/connector.ts'
import type { DialectName } from '../../gateway/dialects/dialect.ts'
import { startListener } from '../harness/listener.ts'
import { sendRaw } from '../harness/raw-client.ts'
import { syntheticCall } from '../harness/synthetic-call.ts'

function addressed(dialect: DialectName, upstreamPath: string): Addressed {
  return { connector: { ...syntheticCall().connector, dialect }, upstreamPath, entrance: 'prefix' }
}

it('refuses in the tongue of the connector that the port, the host or the path names', async () => {
  await using gateway = await startListener({
    connectorPorts: [0],
    address: (host, port, path) => {
      if (port === gateway.listener.connectorPorts[0]) return addressed('slack', path)
      if (host === 'jira.gateway.example') return addressed('atlassian', path)
      return path.startsWith('/github/') ? addressed('github', path.slice('/github'.length)) : undefined
    },
    onReceived: (received, reply) => reply.refuse({ code: 'policy.denied' }, received),
  })
  const refusalOf = async (port: number, host: string, path: string): Promise<unknown> => {
    const response = await sendRaw(port, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    return JSON.parse(response.body.toString())
  }
  const [slackPort = 0] = gateway.listener.connectorPorts
  expect(await refusalOf(slackPort, 'a', '/api/chat.postMessage')).toMatchObject({
    ok: false,
    error: 'access_denied',
  })
  expect(await refusalOf(gateway.port, 'jira.gateway.example', '/rest')).toHaveProperty('errorMessages')
  expect(await refusalOf(gateway.port, 'a', '/github/user?a=b')).toHaveProperty('documentation_url')
  expect(await refusalOf(gateway.port, 'a', '/other')).not.toHaveProperty('message')
  expect(gateway.received.map(({ arrival }) => arrival.addressed?.upstreamPath)).toEqual([
    '/api/chat.postMessage',
    '/rest',
    '/user',
    undefined,
  ])
})
