import { fakeRoute, isRecord, jsonObject } from '../../fake-route.ts'
import type { FakeReply, FakeRequest, FakeRoute } from '../../fake-route.ts'
import { newPage } from './world.ts'
import type { ConfluencePage, ConfluenceWorld } from './world.ts'
import { attachmentShape, commentShape, labelShape, pageShape, spaceShape, versionShape } from './shapes.ts'
import { listed, onPage, paged, v2Failure, v2NotFound } from './v2-reply.ts'

const V2 = '/wiki/api/v2'

/** Confluence Cloud REST API v2: spaces, pages, footer comments, labels, versions, attachments (read). */
export function v2Routes(world: ConfluenceWorld): FakeRoute[] {
  return [...spaceRoutes(world), ...pageRoutes(world), ...pagePartRoutes(world), ...commentRoutes(world)]
}

function spaceRoutes(world: ConfluenceWorld): FakeRoute[] {
  return [
    fakeRoute(`GET ${V2}/spaces`, (request) => {
      const keys = listed(request, 'keys')
      return paged(
        request,
        world.spaces.filter(({ key }) => keys.length === 0 || keys.includes(key)).map(spaceShape),
      )
    }),
    fakeRoute(`GET ${V2}/spaces/{id}`, (request) => {
      const space = world.spaces.find(({ id }) => id === request.param('id'))
      return space === undefined ? v2NotFound() : { status: 200, body: spaceShape(space) }
    }),
    fakeRoute(`GET ${V2}/spaces/{id}/pages`, (request) => listPages(request, world, [request.param('id')])),
  ]
}

function pageRoutes(world: ConfluenceWorld): FakeRoute[] {
  return [
    fakeRoute(`GET ${V2}/pages`, (request) => listPages(request, world, listed(request, 'space-id'))),
    fakeRoute(`POST ${V2}/pages`, (request) => createPage(request, world)),
    fakeRoute(
      `GET ${V2}/pages/{id}`,
      onPage(world, (request, page) => ({
        status: 200,
        body: pageShape(page, request.query.get('body-format')),
      })),
    ),
    fakeRoute(`PUT ${V2}/pages/{id}`, onPage(world, updatePage)),
    fakeRoute(
      `DELETE ${V2}/pages/{id}`,
      onPage(world, (_, page) => {
        world.pages.delete(page.id)
        return { status: 204 }
      }),
    ),
  ]
}

/** What belongs to a page, to be listed. */
function pagePartRoutes(world: ConfluenceWorld): FakeRoute[] {
  return [
    fakeRoute(
      `GET ${V2}/pages/{id}/labels`,
      onPage(world, (request, page) => paged(request, page.labels.map(labelShape))),
    ),
    fakeRoute(
      `GET ${V2}/pages/{id}/versions`,
      onPage(world, (request, page) =>
        paged(
          request,
          Array.from({ length: page.version }, (_, index) => versionShape(page, page.version - index)),
        ),
      ),
    ),
    fakeRoute(
      `GET ${V2}/pages/{id}/children`,
      onPage(world, (request, parent) =>
        paged(
          request,
          [...world.pages.values()]
            .filter(({ parentId }) => parentId === parent.id)
            .map(({ id, status, title, spaceId }) => ({ id, status, title, spaceId })),
        ),
      ),
    ),
    fakeRoute(
      `GET ${V2}/pages/{id}/attachments`,
      onPage(world, (request, page) =>
        paged(
          request,
          page.attachments.map((attachment) => attachmentShape(page, attachment)),
        ),
      ),
    ),
  ]
}

function commentRoutes(world: ConfluenceWorld): FakeRoute[] {
  return [
    fakeRoute(
      `GET ${V2}/pages/{id}/footer-comments`,
      onPage(world, (request, page) =>
        paged(
          request,
          [...world.comments.values()]
            .filter(({ pageId }) => pageId === page.id)
            .map((comment) => commentShape(comment, request.query.get('body-format'))),
        ),
      ),
    ),
    fakeRoute(`POST ${V2}/footer-comments`, (request) => createComment(request, world)),
    fakeRoute(`GET ${V2}/footer-comments/{id}`, (request) => {
      const comment = world.comments.get(request.param('id'))
      return comment === undefined
        ? v2NotFound()
        : { status: 200, body: commentShape(comment, request.query.get('body-format')) }
    }),
    fakeRoute(`DELETE ${V2}/footer-comments/{id}`, (request) =>
      world.comments.delete(request.param('id')) ? { status: 204 } : v2NotFound(),
    ),
  ]
}

function listPages(request: FakeRequest, world: ConfluenceWorld, spaceIds: readonly string[]): FakeReply {
  const title = request.query.get('title')
  const ids = listed(request, 'id')
  const found = [...world.pages.values()].filter(
    (page) =>
      (spaceIds.length === 0 || spaceIds.includes(page.spaceId)) &&
      (title === null || page.title === title) &&
      (ids.length === 0 || ids.includes(page.id)),
  )
  return paged(
    request,
    found.map((page) => pageShape(page, request.query.get('body-format'))),
  )
}

function createPage(request: FakeRequest, world: ConfluenceWorld): FakeReply {
  const body = jsonObject(request.body)
  const spaceId = body?.['spaceId']
  const title = body?.['title']
  if (body === undefined || typeof spaceId !== 'string')
    return v2Failure(400, 'INVALID_REQUEST_PARAMETER', "'spaceId' must be provided")
  if (!world.spaces.some(({ id }) => id === spaceId)) return v2NotFound()
  if (typeof title !== 'string' || title === '')
    return v2Failure(400, 'INVALID_REQUEST_PARAMETER', 'Title must not be empty')
  const taken = [...world.pages.values()].some((page) => page.spaceId === spaceId && page.title === title)
  if (taken)
    return v2Failure(
      400,
      'INVALID_REQUEST_PARAMETER',
      'A page with this title already exists: A page already exists with the same TITLE in this space',
    )
  const storage = storageOf(body['body'])
  if (storage === undefined) return v2Failure(400, 'INVALID_REQUEST_PARAMETER', 'Provided body is not valid')
  const parentId = typeof body['parentId'] === 'string' ? body['parentId'] : null
  const page = newPage(world.nextId(), spaceId, parentId, title, storage)
  world.pages.set(page.id, page)
  return { status: 200, body: pageShape(page, 'storage') }
}

function updatePage(request: FakeRequest, page: ConfluencePage): FakeReply {
  const body = jsonObject(request.body)
  const version = isRecord(body?.['version']) ? body['version']['number'] : undefined
  const storage = storageOf(body?.['body'])
  if (
    body === undefined ||
    typeof body['title'] !== 'string' ||
    storage === undefined ||
    body['id'] !== page.id
  ) {
    return v2Failure(400, 'INVALID_REQUEST_PARAMETER', 'id, status, title, body and version must be provided')
  }
  // Whoever writes must have read the current version.
  if (version !== page.version + 1) {
    return v2Failure(
      409,
      'CONFLICT',
      `Version must be incremented on update. Current version is: ${page.version}`,
    )
  }
  page.version = version
  page.title = body['title']
  page.storage = storage
  return { status: 200, body: pageShape(page, 'storage') }
}

function createComment(request: FakeRequest, world: ConfluenceWorld): FakeReply {
  const body = jsonObject(request.body)
  const pageId = body?.['pageId']
  const storage = storageOf(body?.['body'])
  if (typeof pageId !== 'string' || !world.pages.has(pageId)) return v2NotFound()
  if (storage === undefined)
    return v2Failure(400, 'INVALID_REQUEST_PARAMETER', 'Comment body must not be empty')
  const comment = { id: world.nextId(), pageId, storage }
  world.comments.set(comment.id, comment)
  return { status: 201, body: commentShape(comment, 'storage') }
}

/** The value of `{representation: 'storage', value}` or of the same below `storage`. */
function storageOf(body: unknown): string | undefined {
  const inner = isRecord(body) && isRecord(body['storage']) ? body['storage'] : body
  if (!isRecord(inner) || typeof inner['value'] !== 'string' || inner['value'] === '') return undefined
  return (inner['representation'] ?? 'storage') === 'storage' ? inner['value'] : undefined
}
