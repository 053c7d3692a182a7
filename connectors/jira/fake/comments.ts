import { isDocument } from '../../fake-atlassian.ts'
import { fakeRoute } from '../../fake-route.ts'
import type { FakeHandler, FakeReply, FakeRequest, FakeRoute } from '../../fake-route.ts'
import { failure, NO_CONTENT, numberIn, ok, withBody, withIssue } from './reply.ts'
import { commentShape } from './shapes.ts'
import type { JiraComment, JiraIssue, JiraWorld } from './world.ts'

/** Comments of an issue; their body is a document, never a plain string. */
export function commentRoutes(world: JiraWorld): FakeRoute[] {
  const C = '/rest/api/3/issue/{issue}/comment'
  const withComment = (
    handle: (request: FakeRequest, issue: JiraIssue, comment: JiraComment) => FakeReply,
  ): FakeHandler =>
    withIssue(world, (request, issue) => {
      const comment = issue.comments.find(({ id }) => id === request.param('comment'))
      return comment === undefined
        ? failure(404, [`Can not find a comment for the id: ${request.param('comment')}.`])
        : handle(request, issue, comment)
    })
  return [
    fakeRoute(`GET ${C}`, withIssue(world, listComments)),
    fakeRoute(
      `POST ${C}`,
      withIssue(world, (request, issue) => addComment(world, request, issue)),
    ),
    fakeRoute(
      `GET ${C}/{comment}`,
      withComment((_, issue, comment) => ok(commentShape(issue, comment))),
    ),
    fakeRoute(
      `PUT ${C}/{comment}`,
      withComment((request, issue, comment) =>
        withBody(request, ({ body }) => {
          if (!isDocument(body)) return invalidBody(body)
          comment.body = body
          comment.updated = jiraTime()
          return ok(commentShape(issue, comment))
        }),
      ),
    ),
    fakeRoute(
      `DELETE ${C}/{comment}`,
      withComment((_, issue, comment) => {
        issue.comments.splice(issue.comments.indexOf(comment), 1)
        return NO_CONTENT
      }),
    ),
  ]
}

function listComments(request: FakeRequest, issue: JiraIssue): FakeReply {
  const startAt = numberIn(request.query, 'startAt', 0, Number.MAX_SAFE_INTEGER)
  const maxResults = numberIn(request.query, 'maxResults', 50, 100)
  const page = issue.comments.slice(startAt, startAt + maxResults)
  return ok({
    startAt,
    maxResults,
    total: issue.comments.length,
    comments: page.map((comment) => commentShape(issue, comment)),
  })
}

function addComment(world: JiraWorld, request: FakeRequest, issue: JiraIssue): FakeReply {
  return withBody(request, ({ body }) => {
    if (!isDocument(body)) return invalidBody(body)
    const comment: JiraComment = {
      id: String(world.nextId()),
      body,
      created: jiraTime(),
      updated: jiraTime(),
    }
    issue.comments.push(comment)
    return { status: 201, body: commentShape(issue, comment) }
  })
}

function invalidBody(body: unknown): FakeReply {
  return body === undefined || body === ''
    ? failure(400, [], { comment: 'Comment body can not be empty!' })
    : failure(400, [], { comment: 'Comment body is not valid!' })
}

/** Jira writes offsets without a colon. */
export function jiraTime(): string {
  return new Date().toISOString().replace('Z', '+0000')
}
