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
import { commentShape, issueShape } from './shapes.ts'
import type { Comment, GithubWorld, Issue, Repository } from './world.ts'

/** Issues, their labels and the comments that pull requests share with them. */
export function issueRoutes(world: GithubWorld): FakeRoute[] {
  const on = (handle: Parameters<typeof inRepository>[1]): ((request: FakeRequest) => FakeReply) =>
    inRepository(world, handle)
  const I = '/repos/{owner}/{repo}/issues'
  const withComment = (
    handle: (request: FakeRequest, repository: Repository, comment: Comment) => FakeReply,
  ) =>
    on((request, repository) => {
      const comment = repository.comments.get(Number(request.param('comment')))
      return comment === undefined ? notFound() : handle(request, repository, comment)
    })
  return [
    fakeRoute(
      `GET ${I}`,
      on((request, repository) =>
        paged(request, `/repositories/${repository.id}/issues`, issuesInState(request, repository), (issue) =>
          issueShape(repository, issue),
        ),
      ),
    ),
    fakeRoute(
      `POST ${I}`,
      on((request, repository) => createIssue(world, request, repository)),
    ),
    fakeRoute(
      `GET ${I}/comments/{comment}`,
      withComment((_, repository, comment) => ok(commentShape(repository, comment))),
    ),
    fakeRoute(
      `PATCH ${I}/comments/{comment}`,
      withComment((request, repository, comment) =>
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
      withComment((_, repository, comment) => {
        repository.comments.delete(comment.id)
        return NO_CONTENT
      }),
    ),
    fakeRoute(
      `GET ${I}/{number}`,
      on(withIssue((_, repository, issue) => ok(issueShape(repository, issue)))),
    ),
    fakeRoute(`PATCH ${I}/{number}`, on(withIssue(updateIssue))),
    fakeRoute(
      `GET ${I}/{number}/comments`,
      on(
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
      on(withIssue((request, repository, issue) => createComment(world, request, repository, issue))),
    ),
    fakeRoute(`GET ${I}/{number}/labels`, on(withIssue((_, __, issue) => labels(issue)))),
    fakeRoute(
      `POST ${I}/{number}/labels`,
      on(
        withIssue((request, _, issue) =>
          withBody(request, (body) => {
            const added = Array.isArray(body['labels'])
              ? body['labels'].filter((name) => typeof name === 'string')
              : []
            if (added.length === 0) return unprocessable('Issue', 'labels', 'missing_field')
            issue.labels = [...new Set([...issue.labels, ...added])]
            return labels(issue)
          }),
        ),
      ),
    ),
    fakeRoute(
      `DELETE ${I}/{number}/labels/{name}`,
      on(
        withIssue((request, _, issue) => {
          if (!issue.labels.includes(request.param('name'))) return notFound()
          issue.labels = issue.labels.filter((name) => name !== request.param('name'))
          return labels(issue)
        }),
      ),
    ),
    fakeRoute(`PUT ${I}/{number}/lock`, on(withIssue((_, __, issue) => setLock(issue, true)))),
    fakeRoute(`DELETE ${I}/{number}/lock`, on(withIssue((_, __, issue) => setLock(issue, false)))),
  ]
}

function issuesInState(request: FakeRequest, repository: Repository): Issue[] {
  const state = request.query.get('state') ?? 'open'
  const all = [...repository.issues.values()].toSorted((a, b) => b.number - a.number)
  return all.filter((issue) => state === 'all' || issue.state === state)
}

function createIssue(world: GithubWorld, request: FakeRequest, repository: Repository): FakeReply {
  return withBody(request, (body) => {
    const title = text(body['title'])
    if (title === undefined || title === '') return unprocessable('Issue', 'title', 'missing_field')
    const issue: Issue = {
      number: Math.max(...repository.issues.keys(), 0) + 1,
      title,
      body: text(body['body']) ?? '',
      state: 'open',
      locked: false,
      author: world.viewer,
      labels: [],
      createdAt: new Date().toISOString(),
    }
    repository.issues.set(issue.number, issue)
    return created(issueShape(repository, issue))
  })
}

function updateIssue(request: FakeRequest, repository: Repository, issue: Issue): FakeReply {
  return withBody(request, (body) => {
    const state = body['state'] ?? issue.state
    if (state !== 'open' && state !== 'closed') return unprocessable('Issue', 'state', 'invalid')
    issue.state = state
    issue.title = text(body['title']) ?? issue.title
    issue.body = text(body['body']) ?? issue.body
    return ok(issueShape(repository, issue))
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

function labels(issue: Issue): FakeReply {
  return ok(issue.labels.map((name) => ({ name, color: 'ededed', default: false })))
}

function setLock(issue: Issue, locked: boolean): FakeReply {
  issue.locked = locked
  return NO_CONTENT
}
