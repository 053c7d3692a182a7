import { fakeRoute } from '../../fake-route.ts'
import type { FakeReply, FakeRequest, FakeRoute } from '../../fake-route.ts'
import {
  created,
  inRepository,
  NO_CONTENT,
  ok,
  paged,
  text,
  unprocessable,
  withBody,
  withIssue,
} from './reply.ts'
import { issueShape } from './shapes.ts'
import type { GithubWorld, Issue, Repository } from './world.ts'

const I = '/repos/{owner}/{repo}/issues'

/** Issues, and whether they are locked. */
export function issueRoutes(world: GithubWorld): FakeRoute[] {
  return [
    fakeRoute(
      `GET ${I}`,
      inRepository(world, (request, repository) =>
        paged(request, `/repositories/${repository.id}/issues`, issuesInState(request, repository), (issue) =>
          issueShape(repository, issue),
        ),
      ),
    ),
    fakeRoute(
      `POST ${I}`,
      inRepository(world, (request, repository) => createIssue(world, request, repository)),
    ),
    fakeRoute(
      `GET ${I}/{number}`,
      inRepository(
        world,
        withIssue((_, repository, issue) => ok(issueShape(repository, issue))),
      ),
    ),
    fakeRoute(`PATCH ${I}/{number}`, inRepository(world, withIssue(updateIssue))),
    fakeRoute(
      `PUT ${I}/{number}/lock`,
      inRepository(
        world,
        withIssue((_, __, issue) => setLock(issue, true)),
      ),
    ),
    fakeRoute(
      `DELETE ${I}/{number}/lock`,
      inRepository(
        world,
        withIssue((_, __, issue) => setLock(issue, false)),
      ),
    ),
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

function setLock(issue: Issue, locked: boolean): FakeReply {
  issue.locked = locked
  return NO_CONTENT
}
