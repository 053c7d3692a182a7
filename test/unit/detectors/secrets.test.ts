import { expect, it } from 'vitest'
import { FINDING_NAMES } from '../../../gateway/detectors/findings.ts'
import { gitHubToken, SECRETS } from '../../harness/detector-samples.ts'
import { namesIn, planFor, search } from './search.ts'

it.each(Object.entries(SECRETS))('finds %s, and only that, in the middle of a text', (name, secret) => {
  expect(search(`Please use ${secret} for the deployment.`).secrets).toEqual([name])
})

it.each(Object.entries(SECRETS))(
  'finds %s in a JSON string, at the end of a text, and in capitals around it',
  (name, secret) => {
    expect(search(JSON.stringify({ body: `KEY:${secret}` }).replaceAll('\\"', '"')).secrets).toContain(name)
    expect(search(secret).secrets).toContain(name)
  },
)

it.each(Object.entries(SECRETS))('does not take the beginning of %s for it', (name, secret) => {
  expect(search(`see ${secret.slice(0, Math.floor(secret.length / 4))} there`).secrets).not.toContain(name)
})

it('knows a GitHub token by its check digits, as GitHub computes them', () => {
  expect(search(gitHubToken('ghp_', 'zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ')).secrets).toEqual(['github_token'])
  expect(gitHubToken('ghp_', 'zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ').endsWith('0mLq17')).toBe(true)
  for (const prefix of ['gho_', 'ghu_', 'ghs_', 'ghr_'])
    expect(search(gitHubToken(prefix)).secrets).toEqual(['github_token'])
})

it('does not take a made-up token with wrong check digits for a GitHub token', () => {
  expect(search(`ghp_${'a'.repeat(36)}`).secrets).toEqual([])
  const token = gitHubToken()
  expect(search(token.slice(0, -1) + (token.endsWith('a') ? 'b' : 'a')).secrets).toEqual([])
})

it.each([
  ['the key that every AWS manual prints', 'AKIAIOSFODNN7EXAMPLE'],
  ['a JSON Web Key Set', '{"keys":[{"kty":"EC","crv":"P-256","x":"abc","y":"def"}]}'],
  ['three words with points that begin like a token', 'eyJhbGci.eyJzdWIi.signature'],
  ['a certificate', '-----BEGIN CERTIFICATE-----\nMIID'],
  ['an address with a placeholder', 'https://user:${PASSWORD}@host.example/'],
  ['an address with a port', 'https://host.example:8443/@scope/name'],
  ['a UUID and a commit', '3f2504e0-4f89-11d3-9a0c-0305e82c3301 da39a3ee5e6b4b0d3255bfef95601890afd80709'],
])('takes %s for no secret', (_what, text) => {
  expect(search(text).secrets).toEqual([])
})

it('finds a secret that base64 hides, as the contents of a file are sent to GitHub', () => {
  const file = `region = eu-central-2\ntoken = ${SECRETS.gitlab_token}\n`.repeat(3)
  const content = Buffer.from(file).toString('base64')
  expect(search(`{"content":"${content}"}`).secrets).toEqual(['gitlab_token'])
  expect(search(content.replaceAll(/.{60}/g, '$&\n')).secrets).toEqual(['gitlab_token'])
  expect(search(Buffer.from(content).toString('base64')).secrets).toEqual(['gitlab_token'])
})

it('finds long random runs only where that is asked for', () => {
  const run = 'q7Lr2VxN9sKw4TzB8mYc1HdJ6pGf3QaE5uRi0WoX'
  expect(namesIn(run)).toEqual([])
  const plan = planFor({ entropy: true })
  expect(namesIn(run, plan)).toEqual(['high_entropy'])
  expect(namesIn('da39a3ee5e6b4b0d3255bfef95601890afd80709', plan)).toEqual([])
  expect(namesIn('TheQuickBrownFoxJumpsOverTheLazyDogAgainAndAgain1', plan)).toEqual([])
})

it('has a sample of every name', () => {
  const named = [...Object.keys(SECRETS), 'high_entropy', 'unscanned'].sort()
  expect(named).toEqual([...FINDING_NAMES.secrets])
})
