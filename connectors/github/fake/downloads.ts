import { gzipSync } from 'node:zlib'
import { fakeRoute } from '../../fake-route.ts'
import type { FakeReply, FakeRequest, FakeRoute } from '../../fake-route.ts'
import { startFakeServer } from '../../fake-server.ts'
import type { Fake, FakeOptions } from '../../fake-server.ts'
import { failure, inRepository, NO_CONTENT } from './reply.ts'
import { findAsset } from './world.ts'
import type { GithubWorld } from './world.ts'

const R = '/repos/{owner}/{repo}'
const SIGNATURE = 'sig=fake-download-signature'

/** Leads to the download host, with a signed link. */
export function redirectTo(downloadOrigin: string, path: string): FakeReply {
  return {
    status: 302,
    headers: { Location: `${downloadOrigin}${path}?${SIGNATURE}`, 'Content-Type': 'text/html;charset=utf-8' },
  }
}

/**
 * Archives and the logs of runs: GitHub answers 302 to another host with a signed link, so the routes need to know
 * where that host is (`downloadOrigin`).
 */
export function downloadRoutes(world: GithubWorld, downloadOrigin: string): FakeRoute[] {
  const archive = (format: string): ((request: FakeRequest) => FakeReply) =>
    inRepository(world, (request, repository) =>
      redirectTo(
        downloadOrigin,
        `/${repository.owner}/${repository.name}/legacy.${format}/${request.param('ref') || 'main'}`,
      ),
    )
  return [
    fakeRoute(`GET ${R}/tarball/{ref+}`, archive('tar.gz')),
    fakeRoute(`GET ${R}/zipball/{ref+}`, archive('zip')),
    fakeRoute(
      `GET ${R}/actions/runs/{run}/logs`,
      inRepository(world, (request) => redirectTo(downloadOrigin, `/logs/runs/${request.param('run')}`)),
    ),
    fakeRoute(
      `GET ${R}/actions/jobs/{job}/logs`,
      inRepository(world, (request) => redirectTo(downloadOrigin, `/logs/jobs/${request.param('job')}`)),
    ),
    fakeRoute(
      `POST ${R}/actions/workflows/{workflow}/dispatches`,
      inRepository(world, (request) =>
        request.body.length === 0 ? failure(422, 'Required input "ref" not provided') : NO_CONTENT,
      ),
    ),
  ]
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
