import { fakeRoute } from '../../fake-route.ts'
import type { FakeRoute } from '../../fake-route.ts'
import { inRepository, NO_CONTENT, notFound, ok, paged, unprocessable, withBody } from './reply.ts'
import { repositoryShape } from './shapes.ts'
import type { GithubWorld } from './world.ts'

const R = '/repos/{owner}/{repo}'

/** Repositories and their settings. */
export function repositoryRoutes(world: GithubWorld): FakeRoute[] {
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
      inRepository(world, (_, repository) => ok(repositoryShape(repository))),
    ),
    fakeRoute(
      `PUT ${R}/topics`,
      inRepository(world, (request) =>
        withBody(request, (body) =>
          Array.isArray(body['names'])
            ? ok({ names: body['names'] })
            : unprocessable('Repository', 'names', 'missing_field'),
        ),
      ),
    ),
    fakeRoute(
      `PUT ${R}/vulnerability-alerts`,
      inRepository(world, () => NO_CONTENT),
    ),
  ]
}
