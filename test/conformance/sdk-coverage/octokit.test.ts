import { Octokit } from '@octokit/rest'
import { expect, it } from 'vitest'
import { loadCommitted } from '../../unit/catalog/catalog-harness.ts'
import {
  createRecordingFetch,
  isUnmatched,
  methodsOf,
  operationsOf,
  type SdkMethod,
} from './recorded-calls.ts'
import { reviewedMethods } from './reviewed.ts'

const BASE = 'http://gateway.test/github'
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

function octokitOn(recording: { fetch: unknown }): Octokit {
  return new Octokit({ baseUrl: BASE, request: { fetch: recording.fetch }, log: silent })
}

/** The template of the address that a method of Octokit calls. */
function templateOf(method: SdkMethod): string {
  if ('endpoint' in method && typeof method.endpoint === 'function' && 'DEFAULTS' in method.endpoint) {
    const { DEFAULTS } = method.endpoint
    if (
      typeof DEFAULTS === 'object' &&
      DEFAULTS !== null &&
      'url' in DEFAULTS &&
      typeof DEFAULTS.url === 'string'
    )
      return DEFAULTS.url
  }
  throw new TypeError('not a method that Octokit made from an endpoint')
}

it('leads every method of @octokit/rest to one operation, or to the reviewed list', async () => {
  const catalog = loadCommitted()
  const recording = createRecordingFetch(() => Response.json({}))
  const unmatched: string[] = []
  const methods = methodsOf(octokitOn(recording).rest)
  expect(methods.length).toBeGreaterThan(1000)
  for (const [name, call] of methods) {
    const values = Array.from(templateOf(call).matchAll(/\{([^}?]+)\}/g), ([, parameter = '']) => [
      parameter,
      'x1',
    ])
    await call(Object.fromEntries(values))
    const operations = operationsOf(catalog, 'github', BASE, recording.take())
    if (operations.length !== 1 || operations.some(isUnmatched)) unmatched.push(name)
  }
  expect(unmatched.toSorted()).toEqual(reviewedMethods('github'))
})

it('takes the slashes that Octokit encodes in values', async () => {
  const catalog = loadCommitted()
  const recording = createRecordingFetch(() => Response.json({}))
  const { rest } = octokitOn(recording)
  const repository = { owner: 'zyx', repo: 'platform-infra' }
  await rest.repos.getContent({ ...repository, path: 'modules/s3/main.tf' })
  await rest.repos.getContent({ ...repository, path: '' })
  await rest.git.getRef({ ...repository, ref: 'heads/feature/x' })
  await rest.repos.getBranch({ ...repository, branch: 'feature/x' })
  await rest.repos.getBranchProtection({ ...repository, branch: 'release/1.0' })
  await rest.repos.getEnvironment({ ...repository, environment_name: 'eu/production' })
  await rest.repos.compareCommits({ ...repository, base: 'main', head: 'feature/x' })
  await rest.repos.compareCommitsWithBasehead({ ...repository, basehead: 'main...zyx:feature/x' })
  await rest.repos.getReleaseByTag({ ...repository, tag: 'app/v1.0' })
  await rest.issues.getLabel({ ...repository, name: 'kind/bug ü' })
  await rest.packages.getPackageForOrganization({
    org: 'zyx',
    package_type: 'container',
    package_name: 'team/app',
  })
  expect(operationsOf(catalog, 'github', BASE, recording.take())).toEqual([
    'github.repos/get-content',
    'github.repos/get-content',
    'github.git/get-ref',
    'github.repos/get-branch',
    'github.repos/get-branch-protection',
    'github.repos/get-environment',
    'github.repos/compare-commits-with-basehead',
    'github.repos/compare-commits-with-basehead',
    'github.repos/get-release-by-tag',
    'github.issues/get-label',
    'github.packages/get-package-for-organization',
  ])
})

it('takes the pages that the Link header leads to', async () => {
  const catalog = loadCommitted()
  const next = `<${BASE}/repositories/1296269/issues?page=2>; rel="next"`
  const replies = [Response.json([{ id: 1 }], { headers: { link: next } }), Response.json([{ id: 2 }])]
  const recording = createRecordingFetch(() => replies.shift() ?? Response.json([]))
  const octokit = octokitOn(recording)
  const issues = await octokit.paginate(octokit.rest.issues.listForRepo, {
    owner: 'zyx',
    repo: 'platform-infra',
  })
  expect(issues).toHaveLength(2)
  expect(operationsOf(catalog, 'github', BASE, recording.take())).toEqual([
    'github.issues/list-for-repo',
    'github.issues/list-for-repo',
  ])
})

it('gives an upload its own origin', async () => {
  const catalog = loadCommitted()
  const recording = createRecordingFetch(() => Response.json({}))
  const asset = { owner: 'zyx', repo: 'platform-infra', release_id: 1, name: 'app.zip', data: 'zip' }
  await octokitOn(recording).rest.repos.uploadReleaseAsset({ ...asset, baseUrl: BASE })
  const [request] = recording.take()
  const uploaded = [{ method: 'POST', url: request?.url.replace('https://uploads.github.com', BASE) ?? '' }]
  expect(operationsOf(catalog, 'github', BASE, uploaded)).toEqual(['github.repos/upload-release-asset'])
  const operation = catalog.operations('github').find(({ id }) => id === 'github.repos/upload-release-asset')
  expect(operation?.origin).toBe('https://uploads.github.com')
})
