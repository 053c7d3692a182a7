import { fakeRoute } from '../../fake-route.ts'
import type { FakeReply, FakeRequest, FakeRoute } from '../../fake-route.ts'
import { created, ok, onPull, paged, text, unprocessable, withBody } from './reply.ts'
import { pullShape, reviewShape } from './shapes.ts'
import type { GithubWorld, Issue, Pull, Repository, Review } from './world.ts'

const P = '/repos/{owner}/{repo}/pulls'
const REVIEW_STATES: ReadonlyMap<string, Review['state']> = new Map([
  ['APPROVE', 'APPROVED'],
  ['REQUEST_CHANGES', 'CHANGES_REQUESTED'],
  ['COMMENT', 'COMMENTED'],
])

/** Reviews of a pull request, and who is asked for one. */
export function reviewRoutes(world: GithubWorld): FakeRoute[] {
  return [
    fakeRoute(
      `GET ${P}/{number}/reviews`,
      onPull(world, (request, repository, issue, pull) =>
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
      onPull(world, (request, repository, issue, pull) =>
        createReview(world, request, repository, issue, pull),
      ),
    ),
    fakeRoute(
      `POST ${P}/{number}/requested_reviewers`,
      onPull(world, (request, repository, issue, pull) =>
        withBody(request, (body) =>
          Array.isArray(body['reviewers'])
            ? created(pullShape(repository, issue, pull))
            : unprocessable('PullRequest', 'reviewers', 'missing_field'),
        ),
      ),
    ),
  ]
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
