import { randomBytes } from 'node:crypto'
import { Octokit } from '@octokit/rest'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startSdkWorld, type SdkWorld } from '../harness/sdk-world.ts'

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const REPOSITORY = { owner: 'zyx', repo: 'platform-infra' } as const
const PULL = { ...REPOSITORY, pull_number: 991 } as const

let world: SdkWorld
let octokit: Octokit
beforeAll(async () => {
  world = await startSdkWorld()
  octokit = new Octokit({ baseUrl: `${world.toolgate.origin}/github`, log: quiet })
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(() => void world.takeRequests())

describe('Octokit through the gateway', () => {
  it('reads, and gets the body that GitHub compressed', async () => {
    const { data, headers } = await octokit.pulls.get(PULL)
    expect(data.number).toBe(991)
    expect(headers['content-encoding']).toBe('gzip')
    expect(headers['toolgate-decision']).toBe('allow')
  })

  it('writes', async () => {
    const { status, data } = await octokit.issues.createComment({
      ...REPOSITORY,
      issue_number: 991,
      body: 'Gut geprüft ✓',
    })
    expect(status).toBe(201)
    const { data: read } = await octokit.issues.getComment({ ...REPOSITORY, comment_id: data.id })
    expect(read.body).toBe('Gut geprüft ✓')
  })

  it('follows pages through the gateway alone', async () => {
    const listed = await octokit.paginate(octokit.pulls.listFiles, { ...PULL, per_page: 2 })
    const { data: whole } = await octokit.pulls.listFiles(PULL)
    expect(listed.map(({ filename }) => filename)).toEqual(whole.map(({ filename }) => filename))
    const pages = world.takeRequests()
    expect(pages.length).toBe(Math.ceil(whole.length / 2) + 1)
    expect(pages.every((page) => page.startsWith('GET /github/'))).toBe(true)
  })

  it('is told that its copy is still good', async () => {
    const { headers } = await octokit.pulls.get(PULL)
    const again: unknown = await octokit.pulls
      .get({ ...PULL, headers: { 'if-none-match': String(headers.etag) } })
      .catch((thrown: unknown) => thrown)
    expect(again).toMatchObject({ status: 304, response: { headers: { etag: headers.etag } } })
  })

  it('asks with HEAD for the headers alone', async () => {
    const { status, headers, data } = await octokit.request('HEAD /repos/{owner}/{repo}/pulls', REPOSITORY)
    expect(status).toBe(200)
    expect(headers.etag).toBeDefined()
    expect(data).toBe('')
  })

  it('is answered without content where there is none', async () => {
    const { status, data } = await octokit.issues.lock({ ...REPOSITORY, issue_number: 991 })
    expect([status, data]).toEqual([204, ''])
  })

  it('reaches a file several folders deep', async () => {
    const { data } = await octokit.repos.getContent({ ...REPOSITORY, path: 'README.md' })
    expect(data).toMatchObject({ path: 'README.md' })
  })

  it('uploads a release asset, bytes as they are, though it goes to another host for that', async () => {
    const bytes = randomBytes(100_000)
    // Its types know text only; it sends bytes as well.
    const parameters: object = {
      ...REPOSITORY,
      release_id: 9001,
      name: 'plan.bin',
      data: bytes,
      headers: { 'content-type': 'application/octet-stream', 'content-length': bytes.length },
    }
    const { data } = await octokit.repos.uploadReleaseAsset(
      parameters as Parameters<typeof octokit.repos.uploadReleaseAsset>[0],
    )
    expect(data.name).toBe('plan.bin')
    const [repository] = world.toolgate.fakes.github.world.repositories
    const asset = repository?.releases.get(9001)?.assets.find(({ name }) => name === 'plan.bin')
    expect(asset?.bytes.equals(bytes)).toBe(true)
  })

  it('hears of what GitHub refuses as GitHub says it', async () => {
    const missing: unknown = await octokit.pulls
      .get({ ...PULL, pull_number: 4_040 })
      .catch((thrown: unknown) => thrown)
    expect(missing).toMatchObject({
      status: 404,
      response: { headers: { 'toolgate-decision': 'allow' }, data: { message: 'Not Found' } },
    })
  })

  it('raises one error for what policy denies, and asks once', async () => {
    const denied: unknown = await octokit.pulls.merge(PULL).catch((thrown: unknown) => thrown)
    expect(denied).toMatchObject({
      name: 'HttpError',
      status: 403,
      response: { headers: { 'toolgate-decision': 'deny' }, data: { code: 'policy.denied' } },
    })
    expect(world.takeRequests()).toEqual(['PUT /github/repos/zyx/platform-infra/pulls/991/merge'])
  })

  it('raises one error for a limit, and asks once', async () => {
    await octokit.repos.get(REPOSITORY)
    world.takeRequests()
    const limited: unknown = await octokit.repos.get(REPOSITORY).catch((thrown: unknown) => thrown)
    expect(limited).toMatchObject({
      status: 429,
      response: { headers: { 'retry-after': expect.stringMatching(/^\d+$/) }, data: { code: 'limit.rate' } },
    })
    expect(world.takeRequests()).toHaveLength(1)
  })

  it('takes its credential from the gateway and leaves nothing of its own behind', () => {
    const { requests } = world.toolgate.fakes.github
    expect(requests.length).toBeGreaterThan(10)
    expect(requests.flatMap(({ leaks }) => leaks)).toEqual([])
  })
})
