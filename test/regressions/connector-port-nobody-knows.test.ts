// `address.port: 0` was accepted: the system then chose a port that the addressing, which looks for port 0, never found.
import { expect, test } from 'vitest'
import { parseConfig } from '../../gateway/config/load.ts'
import { ConfigError } from '../../gateway/config/problem.ts'

test('a connector cannot have port 0', () => {
  const settings = {
    identity: {
      issuers: [{ issuer: 'https://as.test', audiences: ['a'], jwks: { uri: 'https://as.test/jwks' } }],
    },
    connectors: { github: { credential: { type: 'none' }, address: { port: 0 } } },
  }
  const parse = (): unknown => parseConfig(JSON.stringify(settings), { environment: {}, folder: '/' })
  expect(parse).toThrow(ConfigError)
  expect(parse).toThrow(/connectors\.github\.address\.port/)
})
