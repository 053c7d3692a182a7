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
  paged,
  text,
  unprocessable,
  withBody,
  withIssue,
} from './reply.ts'
import { fileShape, pullShape, repositoryUrl, reviewShape, userShape } from './shapes.ts'
import { newPull, shaOf } from './world.ts'
import type { GithubWorld, Issue, Pull, Repository, Review } from './world.ts'

type OnPull = (request: FakeRequest, repository: Repository, issue: Issue, pull: Pull) => FakeReply

const REVIEW_STATES: ReadonlyMap<string, Review['state']> = new Map([
  ['APPROVE', 'APPROVED'],
  ['REQUEST_CHANGES', 'CHANGES_REQUESTED'],
  ['COMMENT', 'COMMENTED'],
])

/** Pull requests: their diff, files, reviews and the merge. */
export function pullRoutes(world: GithubWorld): FakeRoute[] {
  const P = '/repos/{owner}/{repo}/pulls'
  const on = (handle: OnPull): ((request: FakeRequest) => FakeReply) =>
    inRepository(
      world,
      withIssue((request, repository, issue) =>
        issue.pull === undefined ? notFound() : handle(request, repository, issue, issue.pull),
      ),
    )
  return [
    fakeRoute(`GET ${P}`, inRepository(world, listPulls)),
    fakeRoute(
      `POST ${P}`,
      inRepository(world, (request, repository) => createPull(world, request, repository)),
    ),
    fakeRoute(`GET ${P}/{number}`, on(getPull)),
    fakeRoute(`PATCH ${P}/{number}`, on(updatePull)),
    fakeRoute(
      `GET ${P}/{number}/files`,
      on((request, repository, issue, pull) =>
        paged(request, `/repositories/${repository.id}/pulls/${issue.number}/files`, pull.files, (file) =>
          fileShape(repository, pull, file),
        ),
      ),
    ),
    fakeRoute(
      `GET ${P}/{number}/commits`,
      on((request, repository, issue, pull) =>
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
      on((_, __, ___, pull) => (pull.mergedSha === undefined ? notFound() : NO_CONTENT)),
    ),
    fakeRoute(`PUT ${P}/{number}/merge`, on(mergePull)),
    fakeRoute(
      `GET ${P}/{number}/reviews`,
      on((request, repository, issue, pull) =>
        paged(
          request,
          `/repositories/${repository.id}/pulls/${issue.number}/reviews`,
          pull.reviews,
          (review) => reviewShape(repository, issue, review),
        ),
      ),
    ),
    fakeRoute(
      `POST ${P}/{number}/reviews`,
      on((request, repository, issue, pull) => createReview(world, request, repository, issue, pull)),
    ),
    fakeRoute(
      `POST ${P}/{number}/requested_reviewers`,
      on((request, repository, issue, pull) =>
        withBody(request, (body) =>
          Array.isArray(body['reviewers'])
            ? created(pullShape(repository, issue, pull))
            : unprocessable('PullRequest', 'reviewers', 'missing_field'),
        ),
      ),
    ),
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

function createReview(
  world: GithubWorld,
  request: FakeRequest,
  repository: Repository,
  issue: Issue,
  pull: Pull,
): FakeReply {
  return withBody(request, (body) => {
    const state = REVIEW_STATES.get(text(body['event'] ?? 'COMMENT') ?? '')
    if (state === undefined) return unprocessable('PullRequestReview', 'event', 'invalid')
    const said = text(body['body']) ?? ''
    if (state !== 'APPROVED' && said === '')
      return unprocessable('PullRequestReview', 'body', 'missing_field')
    const review: Review = {
      id: world.nextId(),
      author: world.viewer,
      body: said,
      state,
      commitSha: pull.headSha,
    }
    pull.reviews.push(review)
    return ok(reviewShape(repository, issue, review))
  })
}
