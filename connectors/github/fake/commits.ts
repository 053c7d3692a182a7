import { fakeRoute } from '../../fake-route.ts'
import type { FakeReply, FakeRequest, FakeRoute } from '../../fake-route.ts'
import {
  created,
  failure,
  inRepository,
  notFound,
  ok,
  paged,
  text,
  unprocessable,
  withBody,
} from './reply.ts'
import { repositoryUrl, userShape } from './shapes.ts'
import { shaOf } from './world.ts'
import type { GithubWorld, Repository } from './world.ts'

const R = '/repos/{owner}/{repo}'

/** Commits, how two of them compare, and their statuses. */
export function commitRoutes(world: GithubWorld): FakeRoute[] {
  return [
    fakeRoute(
      `GET ${R}/commits`,
      inRepository(world, (request, repository) =>
        paged(request, `/repositories/${repository.id}/commits`, [...repository.branches.values()], (sha) =>
          commitShape(repository, sha),
        ),
      ),
    ),
    fakeRoute(
      `GET ${R}/commits/{ref}`,
      inRepository(world, (request, repository) => {
        const sha = resolveRef(repository, request.param('ref'))
        return sha === undefined
          ? failure(422, `No commit found for SHA: ${request.param('ref')}`)
          : ok(commitShape(repository, sha))
      }),
    ),
    fakeRoute(
      `GET ${R}/commits/{ref}/status`,
      inRepository(world, (request, repository) => combinedStatus(request, repository)),
    ),
    fakeRoute(`POST ${R}/statuses/{sha}`, inRepository(world, createStatus)),
    fakeRoute(
      `GET ${R}/compare/{base}...{head}`,
      inRepository(world, (request, repository) => {
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
