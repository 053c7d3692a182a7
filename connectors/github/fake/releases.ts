import { fakeRoute } from '../../fake-route.ts'
import type { FakeReply, FakeRequest, FakeRoute } from '../../fake-route.ts'
import { redirectTo } from './downloads.ts'
import { created, failure, inRepository, notFound, ok, paged } from './reply.ts'
import { assetShape, releaseShape } from './shapes.ts'
import { findAsset } from './world.ts'
import type { GithubWorld, Release, ReleaseAsset, Repository } from './world.ts'

const R = '/repos/{owner}/{repo}'

/** Releases and their assets, whose bytes come from the download host. */
export function releaseRoutes(world: GithubWorld, downloadOrigin: string): FakeRoute[] {
  return [
    fakeRoute(
      `GET ${R}/releases`,
      inRepository(world, (request, repository) =>
        paged(
          request,
          `/repositories/${repository.id}/releases`,
          [...repository.releases.values()],
          (release) => releaseShape(repository, release),
        ),
      ),
    ),
    fakeRoute(
      `GET ${R}/releases/assets/{asset}`,
      inRepository(world, (request, repository) => getAsset(request, repository, downloadOrigin)),
    ),
    fakeRoute(
      `GET ${R}/releases/{release}`,
      onRelease(world, (_, repository, release) => ok(releaseShape(repository, release))),
    ),
    fakeRoute(
      `GET ${R}/releases/{release}/assets`,
      onRelease(world, (request, repository, release) =>
        paged(
          request,
          `/repositories/${repository.id}/releases/${release.id}/assets`,
          release.assets,
          (asset) => assetShape(repository, asset),
        ),
      ),
    ),
    fakeRoute(
      `POST ${R}/releases/{release}/assets`,
      onRelease(world, (request, repository, release) => uploadAsset(world, request, repository, release)),
    ),
  ]
}

/** Runs a handler with the release that the path names. */
function onRelease(
  world: GithubWorld,
  handle: (request: FakeRequest, repository: Repository, release: Release) => FakeReply,
): (request: FakeRequest) => FakeReply {
  return inRepository(world, (request, repository) => {
    const release = repository.releases.get(Number(request.param('release')))
    return release === undefined ? notFound() : handle(request, repository, release)
  })
}

function getAsset(request: FakeRequest, repository: Repository, downloadOrigin: string): FakeReply {
  const asset = findAsset([repository], request.param('asset'))
  if (asset === undefined) return notFound()
  const wantsBytes = request.headers.accept === 'application/octet-stream'
  return wantsBytes
    ? redirectTo(downloadOrigin, `/release-assets/${asset.id}`)
    : ok(assetShape(repository, asset))
}

function uploadAsset(
  world: GithubWorld,
  request: FakeRequest,
  repository: Repository,
  release: Release,
): FakeReply {
  const name = request.query.get('name')
  if (name === null || name === '')
    return failure(422, 'Validation Failed', {
      errors: [{ resource: 'ReleaseAsset', code: 'missing_field', field: 'name' }],
    })
  if (release.assets.some((asset) => asset.name === name)) {
    return failure(422, 'Validation Failed', {
      errors: [{ resource: 'ReleaseAsset', code: 'already_exists', field: 'name' }],
    })
  }
  const contentType = request.headers['content-type']
  if (contentType === undefined) return failure(400, 'Bad Content-Type header')
  const asset: ReleaseAsset = { id: world.nextId(), name, contentType, bytes: request.body }
  release.assets.push(asset)
  return created(assetShape(repository, asset))
}
