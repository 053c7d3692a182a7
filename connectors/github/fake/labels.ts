import { fakeRoute } from '../../fake-route.ts'
import type { FakeReply, FakeRoute } from '../../fake-route.ts'
import { inRepository, notFound, ok, unprocessable, withBody, withIssue } from './reply.ts'
import type { GithubWorld, Issue } from './world.ts'

const I = '/repos/{owner}/{repo}/issues'

/** Labels of an issue. */
export function labelRoutes(world: GithubWorld): FakeRoute[] {
  return [
    fakeRoute(
      `GET ${I}/{number}/labels`,
      inRepository(
        world,
        withIssue((_, __, issue) => labels(issue)),
      ),
    ),
    fakeRoute(
      `POST ${I}/{number}/labels`,
      inRepository(
        world,
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
      inRepository(
        world,
        withIssue((request, _, issue) => {
          if (!issue.labels.includes(request.param('name'))) return notFound()
          issue.labels = issue.labels.filter((name) => name !== request.param('name'))
          return labels(issue)
        }),
      ),
    ),
  ]
}

function labels(issue: Issue): FakeReply {
  return ok(issue.labels.map((name) => ({ name, color: 'ededed', default: false })))
}
