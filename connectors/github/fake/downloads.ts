import { gzipSync } from 'node:zlib'
import { fakeRoute } from '../../fake-route.ts'
import type { FakeReply, FakeRequest, FakeRoute } from '../../fake-route.ts'
import { startFakeServer } from '../../fake-server.ts'
import type { Fake, FakeOptions } from '../../fake-server.ts'
import { created, failure, inRepository, NO_CONTENT, notFound, ok, paged } from './reply.ts'
import { assetShape, releaseShape } from './shapes.ts'
import type { GithubWorld, Release, ReleaseAsset, Repository } from './world.ts'

const SIGNATURE = 'sig=fake-download-signature'

/**
 * Archives, logs and release assets: GitHub answers 302 to another host with a signed link, so the routes need
 * to know where that host is (`downloadOrigin`).
 */
export function downloadRoutes(world: GithubWorld, downloadOrigin: string): FakeRoute[] {
  const on = (handle: Parameters<typeof inRepository>[1]): ((request: FakeRequest) => FakeReply) =>
    inRepository(world, handle)
  const R = '/repos/{owner}/{repo}'
  const redirect = (path: string): FakeReply => ({
    status: 302,
    headers: { Location: `${downloadOrigin}${path}?${SIGNATURE}`, 'Content-Type': 'text/html;charset=utf-8' },
  })
  const archive = (format: string): ((request: FakeRequest) => FakeReply) =>
    on((request, repository) =>
      redirect(`/${repository.owner}/${repository.name}/legacy.${format}/${request.param('ref') || 'main'}`),
    )
  const withRelease = (
    handle: (request: FakeRequest, repository: Repository, release: Release) => FakeReply,
  ) =>
    on((request, repository) => {
      const release = repository.releases.get(Number(request.param('release')))
      return release === undefined ? notFound() : handle(request, repository, release)
    })
  return [
    fakeRoute(`GET ${R}/tarball/{ref+}`, archive('tar.gz')),
    fakeRoute(`GET ${R}/zipball/{ref+}`, archive('zip')),
    fakeRoute(
      `GET ${R}/actions/runs/{run}/logs`,
      on((request) => redirect(`/logs/runs/${request.param('run')}`)),
    ),
    fakeRoute(
      `GET ${R}/actions/jobs/{job}/logs`,
      on((request) => redirect(`/logs/jobs/${request.param('job')}`)),
    ),
    fakeRoute(
      `POST ${R}/actions/workflows/{workflow}/dispatches`,
      on((request) =>
        request.body.length === 0 ? failure(422, 'Required input "ref" not provided') : NO_CONTENT,
      ),
    ),
    fakeRoute(
      `GET ${R}/releases`,
      on((request, repository) =>
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
      on((request, repository) => getAsset(request, repository, redirect)),
    ),
    fakeRoute(
      `GET ${R}/releases/{release}`,
      withRelease((_, repository, release) => ok(releaseShape(repository, release))),
    ),
    fakeRoute(
      `GET ${R}/releases/{release}/assets`,
      withRelease((request, repository, release) =>
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
      withRelease((request, repository, release) => uploadAsset(world, request, repository, release)),
    ),
  ]
}

function getAsset(
  request: FakeRequest,
  repository: Repository,
  redirect: (path: string) => FakeReply,
): FakeReply {
  const asset = findAsset([repository], request.param('asset'))
  if (asset === undefined) return notFound()
  const wantsBytes = request.headers.accept === 'application/octet-stream'
  return wantsBytes ? redirect(`/release-assets/${asset.id}`) : ok(assetShape(repository, asset))
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

function findAsset(repositories: readonly Repository[], id: string): ReleaseAsset | undefined {
  return repositories
    .flatMap((repository) => [...repository.releases.values()])
    .flatMap((release) => release.assets)
    .find((asset) => asset.id === Number(id))
}

/**
 * The host that GitHub redirects to. It takes the signature in the query alone: like the vendor's storage, it
 * answers 400 when the API's credential is sent along.
 */
export function startDownloadHost(world: GithubWorld, options: FakeOptions): Promise<Fake> {
  return startFakeServer(
    {
      routes: [
        fakeRoute('GET /logs/{kind}/{id}', (request) => ({
          status: 200,
          body: `2026-11-16T09:00:00.0000000Z plan: 6 to change (${request.param('kind')} ${request.param('id')})\n`,
        })),
        fakeRoute('GET /release-assets/{asset}', (request) => {
          const asset = findAsset(world.repositories, request.param('asset'))
          return asset === undefined
            ? { status: 404 }
            : { status: 200, body: asset.bytes, headers: { 'Content-Type': asset.contentType } }
        }),
        fakeRoute('GET /{owner}/{repo}/{format}/{ref+}', (request) => ({
          status: 200,
          body: gzipSync(
            `archive of ${request.param('owner')}/${request.param('repo')} at ${request.param('ref')}\n`,
          ),
          headers: {
            'Content-Type': 'application/x-gzip',
            'Content-Disposition': `attachment; filename=${request.param('repo')}.tar.gz`,
          },
        })),
      ],
      guard: (request) => {
        if (request.headers.authorization !== undefined)
          return { status: 400, body: 'InvalidAuthenticationInfo' }
        return request.query.get('sig') === SIGNATURE.slice('sig='.length)
          ? undefined
          : { status: 403, body: 'AuthenticationFailed' }
      },
      notFound: () => ({ status: 404 }),
    },
    options,
  )
}
