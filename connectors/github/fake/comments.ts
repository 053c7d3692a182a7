import { fakeRoute } from '../../fake-route.ts'
import type { FakeReply, FakeRequest, FakeRoute } from '../../fake-route.ts'
import {
  created,
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
import { commentShape } from './shapes.ts'
import type { Comment, GithubWorld, Issue, Repository } from './world.ts'

const I = '/repos/{owner}/{repo}/issues'

/** Comments of issues, which pull requests share with them. */
export function commentRoutes(world: GithubWorld): FakeRoute[] {
  return [
    fakeRoute(
      `GET ${I}/comments/{comment}`,
      onComment(world, (_, repository, comment) => ok(commentShape(repository, comment))),
    ),
    fakeRoute(
      `PATCH ${I}/comments/{comment}`,
      onComment(world, (request, repository, comment) =>
        withBody(request, (body) => {
          const changed = text(body['body'])
          if (changed === undefined || changed === '')
            return unprocessable('IssueComment', 'body', 'missing_field')
          comment.body = changed
          return ok(commentShape(repository, comment))
        }),
      ),
    ),
    fakeRoute(
      `DELETE ${I}/comments/{comment}`,
      onComment(world, (_, repository, comment) => {
        repository.comments.delete(comment.id)
        return NO_CONTENT
      }),
    ),
    fakeRoute(
      `GET ${I}/{number}/comments`,
      inRepository(
        world,
        withIssue((request, repository, issue) =>
          paged(
            request,
            `/repositories/${repository.id}/issues/${issue.number}/comments`,
            [...repository.comments.values()].filter((comment) => comment.issueNumber === issue.number),
            (comment) => commentShape(repository, comment),
          ),
        ),
      ),
    ),
    fakeRoute(
      `POST ${I}/{number}/comments`,
      inRepository(
        world,
        withIssue((request, repository, issue) => createComment(world, request, repository, issue)),
      ),
    ),
  ]
}

/** Runs a handler with the comment that the path names. */
function onComment(
  world: GithubWorld,
  handle: (request: FakeRequest, repository: Repository, comment: Comment) => FakeReply,
): (request: FakeRequest) => FakeReply {
  return inRepository(world, (request, repository) => {
    const comment = repository.comments.get(Number(request.param('comment')))
    return comment === undefined ? notFound() : handle(request, repository, comment)
  })
}

function createComment(
  world: GithubWorld,
  request: FakeRequest,
  repository: Repository,
  issue: Issue,
): FakeReply {
  return withBody(request, (body) => {
    const said = text(body['body'])
    if (said === undefined || said === '') return unprocessable('IssueComment', 'body', 'missing_field')
    const comment: Comment = {
      id: world.nextId(),
      issueNumber: issue.number,
      author: world.viewer,
      body: said,
      createdAt: new Date().toISOString(),
    }
    repository.comments.set(comment.id, comment)
    return created(commentShape(repository, comment))
  })
}
