import { fakeRoute } from '../../fake-route.ts'
import type { FakeReply, FakeRequest, FakeRoute } from '../../fake-route.ts'
import { unifiedDiff } from './change-991.ts'
import {
  accepts,
  created,
  failure,
  inRepository,
  NO_CONTENT,
  notFound,
  ok,
  onPull,
  paged,
  text,
  unprocessable,
  withBody,
} from './reply.ts'
import { fileShape, pullShape, repositoryUrl, userShape } from './shapes.ts'
import { newPull, shaOf } from './world.ts'
import type { GithubWorld, Issue, Pull, Repository } from './world.ts'

const P = '/repos/{owner}/{repo}/pulls'

/** Pull requests: their diff, files and the merge. */
export function pullRoutes(world: GithubWorld): FakeRoute[] {
  return [
    fakeRoute(`GET ${P}`, inRepository(world, listPulls)),
    fakeRoute(
      `POST ${P}`,
      inRepository(world, (request, repository) => createPull(world, request, repository)),
    ),
    fakeRoute(`GET ${P}/{number}`, onPull(world, getPull)),
    fakeRoute(`PATCH ${P}/{number}`, onPull(world, updatePull)),
    fakeRoute(
      `GET ${P}/{number}/files`,
      onPull(world, (request, repository, issue, pull) =>
        paged(request, `/repositories/${repository.id}/pulls/${issue.number}/files`, pull.files, (file) =>
          fileShape(repository, pull, file),
        ),
      ),
    ),
    fakeRoute(
      `GET ${P}/{number}/commits`,
      onPull(world, (request, repository, issue, pull) =>
        paged(
          request,
          `/repositories/${repository.id}/pulls/${issue.number}/commits`,
          [pull.headSha],
          (sha) => ({
            sha,
            url: `${repositoryUrl(repository)}/commits/${sha}`,
            commit: { message: issue.title },
            author: userShape(issue.author),
            parents: [],
          }),
        ),
      ),
    ),
    fakeRoute(
      `GET ${P}/{number}/merge`,
      onPull(world, (_, __, ___, pull) => (pull.mergedSha === undefined ? notFound() : NO_CONTENT)),
    ),
    fakeRoute(`PUT ${P}/{number}/merge`, onPull(world, mergePull)),
  ]
}

function listPulls(request: FakeRequest, repository: Repository): FakeReply {
  const state = request.query.get('state') ?? 'open'
  const pulls = [...repository.issues.values()].filter((issue) => state === 'all' || issue.state === state)
  return paged(
    request,
    `/repositories/${repository.id}/pulls`,
    pulls.flatMap((issue) => (issue.pull === undefined ? [] : [{ issue, pull: issue.pull }])),
    ({ issue, pull }) => pullShape(repository, issue, pull),
  )
}

function getPull(request: FakeRequest, repository: Repository, issue: Issue, pull: Pull): FakeReply {
  if (!accepts(request, 'diff') && !accepts(request, 'patch')) return ok(pullShape(repository, issue, pull))
  return {
    status: 200,
    body: unifiedDiff(pull.files),
    headers: { 'Content-Type': 'application/vnd.github.diff; charset=utf-8' },
  }
}

function createPull(world: GithubWorld, request: FakeRequest, repository: Repository): FakeReply {
  return withBody(request, (body) => {
    const title = text(body['title'])
    const head = text(body['head'])
    if (title === undefined) return unprocessable('PullRequest', 'title', 'missing_field')
    if (head === undefined || !repository.branches.has(head))
      return unprocessable('PullRequest', 'head', 'invalid')
    if (!repository.branches.has(text(body['base']) ?? ''))
      return unprocessable('PullRequest', 'base', 'invalid')
    const pull = newPull(head, [])
    const issue: Issue = {
      number: Math.max(...repository.issues.keys(), 0) + 1,
      title,
      body: text(body['body']) ?? '',
      state: 'open',
      locked: false,
      author: world.viewer,
      labels: [],
      createdAt: new Date().toISOString(),
      pull,
    }
    repository.issues.set(issue.number, issue)
    return created(pullShape(repository, issue, pull))
  })
}

function updatePull(request: FakeRequest, repository: Repository, issue: Issue, pull: Pull): FakeReply {
  return withBody(request, (body) => {
    const state = body['state'] ?? issue.state
    if (state !== 'open' && state !== 'closed') return unprocessable('PullRequest', 'state', 'invalid')
    issue.state = state
    issue.title = text(body['title']) ?? issue.title
    issue.body = text(body['body']) ?? issue.body
    return ok(pullShape(repository, issue, pull))
  })
}

function mergePull(request: FakeRequest, repository: Repository, issue: Issue, pull: Pull): FakeReply {
  return withBody(request, (body) => {
    const sha = text(body['sha'])
    if (pull.mergedSha !== undefined || issue.state === 'closed')
      return failure(405, 'Pull Request is not mergeable')
    if (sha !== undefined && sha !== pull.headSha) {
      return failure(409, 'Head branch was modified. Review and try the merge again.')
    }
    pull.mergedSha = shaOf(`merge:${pull.headSha}`)
    issue.state = 'closed'
    repository.branches.set(pull.baseRef, pull.mergedSha)
    return ok({ sha: pull.mergedSha, merged: true, message: 'Pull Request successfully merged' })
  })
}
