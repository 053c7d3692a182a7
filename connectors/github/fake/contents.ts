import { fakeRoute } from '../../fake-route.ts'
import type { FakeReply, FakeRequest, FakeRoute } from '../../fake-route.ts'
import { accepts, failure, inRepository, notFound, ok, text, withBody } from './reply.ts'
import { repositoryUrl } from './shapes.ts'
import { shaOf } from './world.ts'
import type { GithubWorld, Repository } from './world.ts'

/** Files of the default branch: read, listed, written and deleted under their blob id. */
export function contentRoutes(world: GithubWorld): FakeRoute[] {
  const on = (handle: Parameters<typeof inRepository>[1]): ((request: FakeRequest) => FakeReply) =>
    inRepository(world, handle)
  const R = '/repos/{owner}/{repo}'
  return [
    fakeRoute(
      `GET ${R}/readme`,
      on((request, repository) => fileReply(request, repository, 'README.md')),
    ),
    fakeRoute(
      `GET ${R}/contents/{path+}`,
      on((request, repository) => contents(request, repository)),
    ),
    fakeRoute(`PUT ${R}/contents/{path+}`, on(putContents)),
    fakeRoute(
      `DELETE ${R}/contents/{path+}`,
      on((request, repository) =>
        withBody(request, (body) => {
          const path = request.param('path')
          const stored = repository.contents.get(path)
          if (stored === undefined) return notFound()
          if (text(body['sha']) !== blobSha(stored))
            return failure(409, `${path} does not match ${text(body['sha']) ?? ''}`)
          repository.contents.delete(path)
          return ok({ content: null, commit: { sha: shaOf(`delete:${path}`), message: body['message'] } })
        }),
      ),
    ),
  ]
}

function contents(request: FakeRequest, repository: Repository): FakeReply {
  const path = request.param('path')
  if (repository.contents.has(path)) return fileReply(request, repository, path)
  const below = [...repository.contents.keys()].filter((name) => name.startsWith(`${path}/`))
  return below.length === 0
    ? notFound()
    : { status: 200, body: below.map((name) => fileShape(repository, name)) }
}

function fileReply(request: FakeRequest, repository: Repository, path: string): FakeReply {
  const content = repository.contents.get(path)
  if (content === undefined) return notFound()
  if (accepts(request, 'raw'))
    return {
      status: 200,
      body: content,
      headers: { 'Content-Type': 'application/vnd.github.raw+json; charset=utf-8' },
    }
  return ok({ ...fileShape(repository, path), encoding: 'base64', content: content.toString('base64') })
}

function fileShape(repository: Repository, path: string): object {
  const content = repository.contents.get(path) ?? Buffer.alloc(0)
  const url = `${repositoryUrl(repository)}/contents/${path}?ref=main`
  return {
    type: 'file',
    name: path.split('/').at(-1),
    path,
    sha: blobSha(content),
    size: content.length,
    url,
    _links: { self: url },
  }
}

function putContents(request: FakeRequest, repository: Repository): FakeReply {
  return withBody(request, (body) => {
    const path = request.param('path')
    const content = text(body['content'])
    if (text(body['message']) === undefined)
      return failure(422, `Invalid request.\n\n"message" wasn't supplied.`)
    if (content === undefined) return failure(422, `Invalid request.\n\n"content" wasn't supplied.`)
    const stored = repository.contents.get(path)
    if (stored !== undefined && text(body['sha']) === undefined)
      return failure(422, `Invalid request.\n\n"sha" wasn't supplied.`)
    if (stored !== undefined && body['sha'] !== blobSha(stored))
      return failure(409, `${path} does not match ${String(body['sha'])}`)
    repository.contents.set(path, Buffer.from(content, 'base64'))
    return {
      status: stored === undefined ? 201 : 200,
      body: {
        content: fileShape(repository, path),
        commit: { sha: shaOf(content), message: body['message'] },
      },
    }
  })
}

/** Git's own id of a blob. */
function blobSha(content: Buffer): string {
  return shaOf(`blob ${content.length}\0${content.toString('latin1')}`)
}
