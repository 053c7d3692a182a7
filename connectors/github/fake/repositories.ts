import { fakeRoute } from '../../fake-route.ts'
import type { FakeReply, FakeRequest, FakeRoute } from '../../fake-route.ts'
import {
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
} from './reply.ts'
import { repositoryShape, repositoryUrl, userShape } from './shapes.ts'
import { shaOf } from './world.ts'
import type { GithubWorld, Repository } from './world.ts'

/** Repositories, branches, commits and commit statuses. */
export function repositoryRoutes(world: GithubWorld): FakeRoute[] {
  const on = (handle: Parameters<typeof inRepository>[1]): ((request: FakeRequest) => FakeReply) =>
    inRepository(world, handle)
  const R = '/repos/{owner}/{repo}'
  return [
    fakeRoute('GET /orgs/{org}/repos', (request) =>
      request.param('org') === 'zyx'
        ? paged(request, '/organizations/810010000/repos', world.repositories, repositoryShape)
        : notFound(),
    ),
    fakeRoute('GET /user/repos', (request) =>
      paged(request, '/user/repos', world.repositories, repositoryShape),
    ),
    fakeRoute(
      `GET ${R}`,
      on((_, repository) => ok(repositoryShape(repository))),
    ),
    fakeRoute(
      `GET ${R}/branches`,
      on((request, repository) =>
        paged(request, `/repositories/${repository.id}/branches`, [...repository.branches], ([name, sha]) =>
          branchShape(repository, name, sha),
        ),
      ),
    ),
    fakeRoute(
      `GET ${R}/branches/{branch+}`,
      on((request, repository) => {
        const sha = repository.branches.get(request.param('branch'))
        return sha === undefined
          ? failure(404, 'Branch not found')
          : ok(branchShape(repository, request.param('branch'), sha))
      }),
    ),
    fakeRoute(
      `GET ${R}/git/ref/{ref+}`,
      on((request, repository) => {
        const sha = repository.branches.get(request.param('ref').replace(/^heads\//, ''))
        if (sha === undefined) return notFound()
        return ok({
          ref: `refs/${request.param('ref')}`,
          url: `${repositoryUrl(repository)}/git/refs/${request.param('ref')}`,
          object: { type: 'commit', sha },
        })
      }),
    ),
    fakeRoute(
      `GET ${R}/commits`,
      on((request, repository) =>
        paged(request, `/repositories/${repository.id}/commits`, [...repository.branches.values()], (sha) =>
          commitShape(repository, sha),
        ),
      ),
    ),
    fakeRoute(
      `GET ${R}/commits/{ref}`,
      on((request, repository) => {
        const sha = resolveRef(repository, request.param('ref'))
        return sha === undefined
          ? failure(422, `No commit found for SHA: ${request.param('ref')}`)
          : ok(commitShape(repository, sha))
      }),
    ),
    fakeRoute(
      `GET ${R}/commits/{ref}/status`,
      on((request, repository) => combinedStatus(request, repository)),
    ),
    fakeRoute(`POST ${R}/statuses/{sha}`, on(createStatus)),
    fakeRoute(
      `GET ${R}/compare/{base}...{head}`,
      on((request, repository) => {
        const base = resolveRef(repository, request.param('base'))
        const head = resolveRef(repository, request.param('head'))
        if (base === undefined || head === undefined) return notFound()
        const ahead = base === head ? 0 : 1
        return ok({
          url: `${repositoryUrl(repository)}/compare/${base}...${head}`,
          status: ahead === 0 ? 'identical' : 'ahead',
          ahead_by: ahead,
          behind_by: 0,
          total_commits: ahead,
          commits: ahead === 0 ? [] : [commitShape(repository, head)],
        })
      }),
    ),
    fakeRoute(
      `PUT ${R}/topics`,
      on((request) =>
        withBody(request, (body) =>
          Array.isArray(body['names'])
            ? ok({ names: body['names'] })
            : unprocessable('Repository', 'names', 'missing_field'),
        ),
      ),
    ),
    fakeRoute(
      `PUT ${R}/vulnerability-alerts`,
      on(() => NO_CONTENT),
    ),
  ]
}

/** The commit that a branch name or a full commit id stands for. */
function resolveRef(repository: Repository, ref: string): string | undefined {
  const known = [
    ...repository.branches.values(),
    ...[...repository.issues.values()].flatMap((issue) => issue.pull?.headSha ?? []),
  ]
  return repository.branches.get(ref) ?? known.find((sha) => sha === ref)
}

function branchShape(repository: Repository, name: string, sha: string): object {
  return {
    name,
    commit: { sha, url: `${repositoryUrl(repository)}/commits/${sha}` },
    protected: name === 'main',
  }
}

function commitShape(repository: Repository, sha: string): object {
  const person = { name: 'Lee', email: 'lee@zyx.example', date: '2026-11-16T09:00:00Z' }
  return {
    sha,
    url: `${repositoryUrl(repository)}/commits/${sha}`,
    commit: {
      message: 'Prepare the Q4 migration',
      author: person,
      committer: person,
      tree: { sha: shaOf(`tree:${sha}`) },
    },
    author: userShape('lee-zyx'),
    parents: [],
  }
}

function combinedStatus(request: FakeRequest, repository: Repository): FakeReply {
  const sha = resolveRef(repository, request.param('ref'))
  if (sha === undefined) return notFound()
  const statuses = repository.statuses.filter((status) => status.sha === sha)
  const state = statuses.every((status) => status.state === 'success') ? 'success' : 'pending'
  return ok({ sha, state: statuses.length === 0 ? 'pending' : state, total_count: statuses.length, statuses })
}

function createStatus(request: FakeRequest, repository: Repository): FakeReply {
  return withBody(request, (body) => {
    const state = text(body['state'])
    if (state === undefined || !['error', 'failure', 'pending', 'success'].includes(state)) {
      return unprocessable('Status', 'state', 'missing_field')
    }
    const sha = resolveRef(repository, request.param('sha'))
    if (sha === undefined) return failure(422, `No commit found for SHA: ${request.param('sha')}`)
    const status = { sha, state, context: text(body['context']) ?? 'default' }
    repository.statuses.push(status)
    return created({ ...status, url: `${repositoryUrl(repository)}/statuses/${sha}` })
  })
}
