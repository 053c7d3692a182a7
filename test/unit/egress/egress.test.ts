import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { createEgress } from '../../../gateway/egress/egress.ts'
import type { EgressConnector } from '../../../gateway/egress/egress.ts'
import { passedRequestHeaders } from '../../../gateway/egress/request-headers.ts'
import { passedResponseHeaders } from '../../../gateway/egress/response-headers.ts'
import { systemClock } from '../../../gateway/lib/clock.ts'
import { vendorConnector } from '../../harness/upstream.ts'

const LIMITS: EgressConnector = {
  name: 'vendor',
  allowAddresses: [],
  caFile: undefined,
  connections: 1,
  connectTimeoutMs: 1_000,
  replyTimeoutMs: 1_000,
  idleTimeoutMs: 1_000,
}

it.each<[string, Partial<EgressConnector>, string]>([
  ['a range that is none', { allowAddresses: ['intranet'] }, 'connectors.vendor.allowAddresses'],
  ['a CA file without a certificate', { caFile: 'package.json' }, 'connectors.vendor.caFile'],
  ['a CA file that is not there', { caFile: '/nowhere/ca.pem' }, 'connectors.vendor.caFile'],
])('names %s before any call is made', (_what, changes, path) => {
  const events = { repeated: () => undefined, redirectFollowed: () => undefined }
  const connectors = [{ ...LIMITS, ...changes }]
  expect(() => createEgress({ connectors, clock: systemClock, events })).toThrow(path)
})

const FOLDERS = readdirSync('connectors', { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'tools')
  .map(({ name }) => name)

it.each(FOLDERS)('the connector %s asks for no header that never passes', (name) => {
  const file = parse(readFileSync(`connectors/${name}/connector.yaml`, 'utf8')) as {
    readonly headers?: { readonly request?: string[]; readonly response?: string[] }
  }
  const headers = { request: file.headers?.request ?? [], response: file.headers?.response ?? [] }
  const connector = vendorConnector('https://api.vendor.test', { name, headers })
  expect([...passedRequestHeaders(connector)]).toEqual(expect.arrayContaining(headers.request))
  expect([...passedResponseHeaders(connector)]).toEqual(expect.arrayContaining(headers.response))
})
