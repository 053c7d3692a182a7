import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { everyProblem } from '../../gateway/check-config.ts'
import { readText } from '../../gateway/config/load.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

async function problemsWith(more: Readonly<Record<string, unknown>>): Promise<string[]> {
  await using directory = await temporaryDirectory()
  await writeFile(join(directory.path, 'no-certificate.pem'), 'nothing of the kind')
  const environment = { SHORT: 'short', LONG: 'long enough to be the key of a fleet' }
  const settings = { identity, connectors: { github: { credential: NONE } }, ...more }
  const reading = readText(JSON.stringify(settings), { environment, folder: directory.path })
  return (await everyProblem(reading, environment)).map(({ path }) => path).sort()
}

const NONE = { type: 'none' }
const identity = {
  issuers: [{ issuer: 'https://as.test', audiences: ['a'], jwks: { uri: 'https://as.test/jwks' } }],
}

function withNonceKey(nonceSecret: string): Readonly<Record<string, unknown>> {
  return { identity: { ...identity, dpop: { nonce: 'required', nonceSecret } } }
}

function withRate(match: Readonly<Record<string, readonly string[]>>): Readonly<Record<string, unknown>> {
  const rate = { name: 'few', by: ['agent'], calls: 1, windowMs: 1000, burst: 1, match }
  return { limits: { rates: [rate] } }
}

it('a configuration whose files and secrets can be used has no problems', async () => {
  expect(await problemsWith({})).toEqual([])
  expect(await problemsWith(withNonceKey('env:LONG'))).toEqual([])
})

it('an upstream authority that is no certificate is found before the start, with its path', async () => {
  const github = { credential: NONE, caFile: 'no-certificate.pem' }
  expect(await problemsWith({ connectors: { github } })).toEqual(['connectors.github.caFile'])
})

it('so is one of a place that is told, and of Slack', async () => {
  const caFile = 'no-certificate.pem'
  const slack = { teamId: 'T0A', appId: 'A0A', token: 'env:LONG', signingSecrets: ['env:LONG'], caFile }
  const targets = {
    soc: { webhook: { url: 'https://hooks.test', caFile } },
    chat: { slack: { channel: 'C0A' } },
  }
  expect(await problemsWith({ notify: { slack, targets } })).toEqual([
    'notify.slack.caFile',
    'notify.targets.soc.webhook.caFile',
  ])
})

it('a nonce key that could be guessed is found before the start, with its path', async () => {
  expect(await problemsWith(withNonceKey('env:SHORT'))).toEqual(['identity.dpop.nonceSecret'])
})

it('a nonce key that is not there is one mistake, not two', async () => {
  expect(await problemsWith(withNonceKey('env:ABSENT'))).toEqual(['identity.dpop.nonceSecret'])
})

it('mistakes of shape hide no others: not in other sections, nor in other connectors', async () => {
  const mistakes = {
    workers: 0,
    listen: {
      externalOrigins: ['https://gateway.test'],
      tls: { certificateFile: 'no-certificate.pem', keyFile: 'no-certificate.pem' },
    },
    policy: { bundle: 'no-certificate.pem' },
    connectors: {
      github: { credential: NONE, connections: 0 },
      jira: { credential: NONE },
      slack: { credential: NONE, address: { hosts: ['slack.test'] } },
      nowhere: { credential: NONE },
    },
  }
  expect(await problemsWith(mistakes)).toEqual([
    'connectors.github.connections',
    'connectors.jira.origin',
    'connectors.nowhere',
    'connectors.slack.address',
    'listen.tls',
    'policy.bundle',
    'workers',
  ])
})

it.each([
  ['an operation that nobody has', { operations: ['github.pulls/mrge'] }, 'match.operations.0'],
  [
    'a beginning that nothing has',
    { operations: ['github.pulls/get', 'github.pull/*'] },
    'match.operations.1',
  ],
  ['a connector that is not configured', { connectors: ['slack'] }, 'match.connectors.0'],
  ['reads, of an operation that writes', { operations: ['github.pulls/merge'], access: ['read'] }, 'match'],
])('a limit of %s would limit nothing, and is a mistake', async (_, match, place) => {
  expect(await problemsWith(withRate(match))).toEqual([`limits.rates.0.${place}`])
})

it('a limit of what is there is none', async () => {
  const match = {
    connectors: ['github'],
    operations: ['github.pulls/*'],
    access: ['execute'],
    agents: ['any'],
  }
  expect(await problemsWith(withRate(match))).toEqual([])
})

it('a place that cannot be written to is found before the start: a file for a folder, a folder for a file', async () => {
  const directory = 'no-certificate.pem/audit'
  expect(await problemsWith({ audit: { directory } })).toEqual([
    'audit.directory',
    // Which lie beside it.
    'audit.disclosures.directory',
    'audit.disclosures.keyFile',
  ])
  expect(await problemsWith({ telemetry: { logDestination: tmpdir() } })).toEqual([
    'telemetry.logDestination',
  ])
  expect(await problemsWith({ audit: { directory: 'not/there/yet' } })).toEqual([])
})

it('an upstream without TLS needs the addresses that it may have', async () => {
  const github = { credential: NONE, origin: 'http://github.internal' }
  expect(await problemsWith({ connectors: { github } })).toEqual(['connectors.github.origin'])
  const named = { ...github, allowAddresses: ['10.1.2.3'] }
  expect(await problemsWith({ connectors: { github: named } })).toEqual([])
})
