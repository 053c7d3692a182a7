import { generateKeyPairSync } from 'node:crypto'
import { expect, it } from 'vitest'
import { publicKeyOf, formatVerifierKey, verifierKeyOf } from '../../../gateway/audit/tlog/verifier-key.ts'
import { cosignerKeyOf } from '../../../gateway/audit/witness/cosigner-key.ts'
import { witnessing } from '../../../gateway/config/witness-rules.ts'
import { auditConfig } from '../../harness/audit-config.ts'
import type { Config } from '../../../gateway/config/config.ts'
import { parseConfig } from '../../../gateway/config/load.ts'

const { publicKey } = publicKeyOf(generateKeyPairSync('ed25519').privateKey)
const KEY = formatVerifierKey(cosignerKeyOf('witness.example/w1', publicKey))

function problemsOf(quorum: number, ...each: readonly { key?: string; url?: string }[]): string[] {
  const witnesses = each.map(({ key = KEY, url = 'https://w.example' }) => ({
    key,
    url,
    caFile: undefined,
    timeoutMs: 5_000,
  }))
  const audit = auditConfig('/audit', { witnesses: { quorum, each: witnesses } })
  return witnessing({ audit } satisfies Pick<Config, 'audit'>).map(({ path, reason }) => `${path} ${reason}`)
}

it('takes witnesses of whom a quorum can come', () => {
  expect(problemsOf(1, {})).toEqual([])
})

it.each([
  ['a quorum beyond their number', () => problemsOf(2, {}), 'quorum is more than the 1 witnesses'],
  [
    'one key under two names',
    () => problemsOf(1, {}, { key: formatVerifierKey(cosignerKeyOf('w2', publicKey)) }),
    'each.1.key is the key of another',
  ],
  ['http to another machine', () => problemsOf(1, { url: 'http://w.example' }), 'each.0.url must be https'],
  [
    'the key of a log',
    () => problemsOf(1, { key: formatVerifierKey(verifierKeyOf('log', 0x01, publicKey)) }),
    'each.0.key not the key of a witness',
  ],
  [
    'a key whose id is not its own',
    () => problemsOf(1, { key: KEY.replace(/\+[0-9a-f]{8}\+/, '+00000000+') }),
    'the id of the witness key',
  ],
])('refuses %s', (_what, problems, said) => {
  expect(problems()).toHaveLength(1)
  expect(problems()[0]).toContain(said)
})

it('reads them from the configuration', () => {
  const settings = {
    identity: {
      issuers: [
        { issuer: 'https://issuer.example', audiences: ['a'], jwks: { uri: 'https://issuer.example/k' } },
      ],
    },
    connectors: { github: { credential: { type: 'none' } } },
    audit: { witnesses: { quorum: 1, each: [{ key: KEY, url: 'https://w.example' }] } },
  }
  const { audit } = parseConfig(JSON.stringify(settings), { environment: {}, folder: '/' })
  expect(audit.witnesses).toEqual({
    quorum: 1,
    each: [{ key: KEY, url: 'https://w.example', timeoutMs: 5_000 }],
  })
})
