import { Octokit } from '@octokit/rest'
import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startGithubFake } from '../../../connectors/github/fake.ts'
import type { GithubFake } from '../../../connectors/github/fake.ts'

const token = 'ghs_correct'
const platform = { owner: 'zyx', repo: 'platform-infra' }
let github: GithubFake

beforeEach(async () => {
  github = await startGithubFake({ token })
})
afterEach(() => github[Symbol.asyncDispose]())

/** Octokit follows absolute links, so the vendor's hosts have to lead to the fake. */
function octokit(auth: string = token): Octokit {
  const toFake = (url: string): string => url.replace(/^https:\/\/(api|uploads)\.github\.com/, github.origin)
  return new Octokit({
    auth,
    baseUrl: github.origin,
    request: { fetch: (url: string, init: RequestInit) => fetch(toFake(url), init) },
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  })
}

describe('the GitHub fake', () => {
  it('gives a pull request, its files and its diff', async () => {
    const pull = await octokit().rest.pulls.get({ ...platform, pull_number: 991 })
    const files = await octokit().rest.pulls.listFiles({ ...platform, pull_number: 991 })
    const diff = await octokit().rest.pulls.get({
      ...platform,
      pull_number: 991,
      mediaType: { format: 'diff' },
    })
    expect(pull.data).toMatchObject({ number: 991, state: 'open', merged: false, changed_files: 6 })
    expect(files.data.map((file) => file.filename)).toContain('terraform/network/bastion.tf')
    expect(diff.data).toContain('+    cidr_blocks = ["0.0.0.0/0"]')
  })

  it.each([
    ['a wrong token', 'ghs_wrong', 'Bad credentials'],
    ['no token', '', 'Requires authentication'],
  ])('refuses %s as GitHub does', async (_, auth, message) => {
    await expect(octokit(auth).rest.users.getAuthenticated()).rejects.toMatchObject({
      status: 401,
      response: { data: { message, status: '401' } },
    })
  })

  it('refuses a request without User-Agent', async () => {
    const status = await new Promise((resolve) => {
      request(`${github.origin}/zen`, { headers: { Authorization: `Bearer ${token}` } }, (response) =>
        resolve(response.statusCode),
      ).end()
    })
    expect(status).toBe(403)
  })

  it('pages through absolute links that name the repository by id', async () => {
    const first = await octokit().rest.issues.listForRepo({ ...platform, state: 'all', per_page: 20 })
    expect(first.headers.link).toContain(
      '<https://api.github.com/repositories/810010001/issues?state=all&per_page=20&page=2>; rel="next"',
    )
    const all = await octokit().paginate(octokit().rest.issues.listForRepo, {
      ...platform,
      state: 'all',
      per_page: 20,
    })
    expect(all).toHaveLength(65)
  })

  it('answers a validator that still holds with 304 and no body', async () => {
    const { headers } = await octokit().rest.repos.get(platform)
    await expect(
      octokit().rest.repos.get({ ...platform, headers: { 'if-none-match': headers.etag } }),
    ).rejects.toMatchObject({ status: 304 })
  })

  it('keeps a posted comment and lets it be changed and deleted', async () => {
    const { data: comment } = await octokit().rest.issues.createComment({
      ...platform,
      issue_number: 991,
      body: 'first',
    })
    await octokit().rest.issues.updateComment({ ...platform, comment_id: comment.id, body: 'second' })
    const { data: comments } = await octokit().rest.issues.listComments({ ...platform, issue_number: 991 })
    expect(comments.map((each) => each.body)).toEqual(['second'])
    expect(await octokit().rest.issues.deleteComment({ ...platform, comment_id: comment.id })).toMatchObject({
      status: 204,
    })
    await expect(
      octokit().rest.issues.getComment({ ...platform, comment_id: comment.id }),
    ).rejects.toMatchObject({ status: 404 })
  })

  it('names the missing field of a comment without text', async () => {
    await expect(
      octokit().rest.issues.createComment({ ...platform, issue_number: 991, body: '' }),
    ).rejects.toMatchObject({
      status: 422,
      response: {
        data: {
          message: 'Validation Failed',
          errors: [{ resource: 'IssueComment', code: 'missing_field', field: 'body' }],
        },
      },
    })
  })

  it('merges once, and only the commit that was reviewed', async () => {
    const merge = (sha?: string) =>
      octokit().rest.pulls.merge({ ...platform, pull_number: 991, ...(sha === undefined ? {} : { sha }) })
    await expect(merge('0'.repeat(40))).rejects.toMatchObject({ status: 409 })
    expect((await merge()).data.merged).toBe(true)
    expect(await octokit().rest.pulls.checkIfMerged({ ...platform, pull_number: 991 })).toMatchObject({
      status: 204,
    })
    await expect(merge()).rejects.toMatchObject({ status: 405 })
  })

  it('reads a file whose path is one escaped segment and one that is several', async () => {
    const escaped = await octokit().request('GET /repos/{owner}/{repo}/contents/{path}', {
      ...platform,
      path: 'docs/rollback.md',
    })
    const plain = await octokit().rest.repos.getContent({ ...platform, path: 'docs/rollback.md' })
    expect(github.requests[0]?.target).toContain('docs%2Frollback.md')
    expect(escaped.data).toEqual(plain.data)
  })

  it('redirects an archive to the download host, which wants no credential of the API', async () => {
    const archive = await octokit().rest.repos.downloadTarballArchive({ ...platform, ref: 'main' })
    expect(archive).toMatchObject({ status: 200, headers: { 'content-type': 'application/x-gzip' } })
    const link = github.downloads.requests[0]?.target ?? ''
    const withCredential = await fetch(`${github.downloads.origin}${link}`, {
      headers: { Authorization: `Bearer ${token}` },
    })
    expect(withCredential.status).toBe(400)
    expect((await fetch(`${github.downloads.origin}${link.split('?')[0]}`)).status).toBe(403)
  })

  it('names the download host as a test wants it named', async () => {
    await using named = await startGithubFake({ token, redirectHost: 'codeload.github.com' })
    const reply = await fetch(`${named.origin}/repos/zyx/platform-infra/tarball/main`, {
      redirect: 'manual',
      headers: { Authorization: `Bearer ${token}` },
    })
    const { hostname, port } = new URL(reply.headers.get('location') ?? '')
    expect([hostname, port]).toEqual(['codeload.github.com', new URL(named.downloads.origin).port])
  })

  it('takes a release asset byte for byte', async () => {
    const bytes = Buffer.from([0, 255, 13, 10, 128])
    const { data: asset } = await octokit().request({
      baseUrl: 'https://uploads.github.com',
      method: 'POST',
      url: '/repos/zyx/platform-infra/releases/9001/assets?name=plan.bin',
      headers: { 'content-type': 'application/octet-stream' },
      data: bytes,
    })
    expect(github.requests.at(-1)?.body).toEqual(bytes)
    const read = await octokit().request({
      method: 'GET',
      url: `/repos/zyx/platform-infra/releases/assets/${asset.id}`,
      headers: { accept: 'application/octet-stream' },
    })
    expect(Buffer.from(read.data)).toEqual(bytes)
  })

  it('compresses when asked and counts its rate limit down', async () => {
    const { headers: first } = await octokit().rest.pulls.get({ ...platform, pull_number: 991 })
    const { headers: second } = await octokit().rest.pulls.get({ ...platform, pull_number: 991 })
    expect(first['content-encoding']).toBe('gzip')
    expect(Number(first['x-ratelimit-remaining']) - Number(second['x-ratelimit-remaining'])).toBe(1)
  })

  it('answers HEAD with the headers of GET and no body', async () => {
    const reply = await octokit().request('HEAD /repos/{owner}/{repo}', platform)
    expect(reply).toMatchObject({ status: 200, headers: { etag: expect.stringMatching(/^W\//) as string } })
    expect(reply.data).toBe('')
  })
})
