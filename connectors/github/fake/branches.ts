import { fakeRoute } from '../../fake-route.ts'
import type { FakeRoute } from '../../fake-route.ts'
import { failure, inRepository, notFound, ok, paged } from './reply.ts'
import { repositoryUrl } from './shapes.ts'
import type { GithubWorld, Repository } from './world.ts'

const R = '/repos/{owner}/{repo}'

/** Branches, by name and as references of git. */
export function branchRoutes(world: GithubWorld): FakeRoute[] {
  return [
    fakeRoute(
      `GET ${R}/branches`,
      inRepository(world, (request, repository) =>
        paged(request, `/repositories/${repository.id}/branches`, [...repository.branches], ([name, sha]) =>
          branchShape(repository, name, sha),
        ),
      ),
    ),
    fakeRoute(
      `GET ${R}/branches/{branch+}`,
      inRepository(world, (request, repository) => {
        const sha = repository.branches.get(request.param('branch'))
        return sha === undefined
          ? failure(404, 'Branch not found')
          : ok(branchShape(repository, request.param('branch'), sha))
      }),
    ),
    fakeRoute(
      `GET ${R}/git/ref/{ref+}`,
      inRepository(world, (request, repository) => {
        const sha = repository.branches.get(request.param('ref').replace(/^heads\//, ''))
        if (sha === undefined) return notFound()
        return ok({
          ref: `refs/${request.param('ref')}`,
          url: `${repositoryUrl(repository)}/git/refs/${request.param('ref')}`,
          object: { type: 'commit', sha },
        })
      }),
    ),
  ]
}

function branchShape(repository: Repository, name: string, sha: string): object {
  return {
    name,
    commit: { sha, url: `${repositoryUrl(repository)}/commits/${sha}` },
    protected: name === 'main',
  }
}
