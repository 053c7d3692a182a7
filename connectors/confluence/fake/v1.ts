import { SERVICE_ACCOUNT, uploadedFiles } from '../../fake-atlassian.ts'
import { fakeRoute, isRecord } from '../../fake-route.ts'
import type { FakeHandler, FakeReply, FakeRequest, FakeRoute } from '../../fake-route.ts'
import { startFakeServer } from '../../fake-server.ts'
import type { Fake, FakeOptions } from '../../fake-server.ts'
import { WIKI } from './shapes.ts'
import type { ConfluenceAttachment, ConfluencePage, ConfluenceWorld } from './world.ts'

const V1 = '/wiki/rest/api'
const SIGNATURE = 'fake-media-signature'

/** What v1 still owns: CQL search, labels to write, attachments to upload and download, the current user. */
export function v1Routes(world: ConfluenceWorld, mediaOrigin: string): FakeRoute[] {
  return [
    fakeRoute(`GET ${V1}/user/current`, () => ({
      status: 200,
      body: {
        type: 'known',
        accountId: SERVICE_ACCOUNT.accountId,
        accountType: 'app',
        publicName: SERVICE_ACCOUNT.name,
        displayName: SERVICE_ACCOUNT.name,
        _links: { base: WIKI },
      },
    })),
    fakeRoute(`GET ${V1}/search`, (request) => search(request, world)),
    ...labelRoutes(world),
    ...attachmentRoutes(world, mediaOrigin),
  ]
}

function labelRoutes(world: ConfluenceWorld): FakeRoute[] {
  return [
    fakeRoute(`POST ${V1}/content/{id}/label`, onPage(world, addLabels)),
    fakeRoute(
      `DELETE ${V1}/content/{id}/label/{label}`,
      onPage(world, (request, page) => {
        const index = page.labels.indexOf(request.param('label'))
        if (index < 0) return v1Failure(404, `No label with name: ${request.param('label')}`)
        page.labels.splice(index, 1)
        return { status: 204 }
      }),
    ),
  ]
}

function attachmentRoutes(world: ConfluenceWorld, mediaOrigin: string): FakeRoute[] {
  return [
    fakeRoute(
      `POST ${V1}/content/{id}/child/attachment`,
      onPage(world, async (request, page) => {
        const files = await uploadedFiles(request)
        if (files.length === 0) return v1Failure(400, "Required request part 'file' is not present")
        const added = files.map((file): ConfluenceAttachment => ({ ...file, id: `att${world.nextId()}` }))
        page.attachments.push(...added)
        return {
          status: 200,
          body: { results: added.map(attachmentShape), size: added.length, _links: { base: WIKI } },
        }
      }),
    ),
    fakeRoute(
      `GET ${V1}/content/{id}/child/attachment/{attachment}/download`,
      onPage(world, (request, page) =>
        page.attachments.some(({ id }) => id === request.param('attachment'))
          ? {
              status: 302,
              headers: {
                Location: `${mediaOrigin}/file/${request.param('attachment')}/binary?token=${SIGNATURE}`,
              },
            }
          : v1Failure(404, 'Attachment not found'),
      ),
    ),
  ]
}

/** Runs a handler with the page that the path names. */
function onPage(
  world: ConfluenceWorld,
  handle: (request: FakeRequest, page: ConfluencePage) => FakeReply | Promise<FakeReply>,
): FakeHandler {
  return (request) => {
    const page = world.pages.get(request.param('id'))
    return page === undefined
      ? v1Failure(404, `No content found with id: ContentId{id=${request.param('id')}}`)
      : handle(request, page)
  }
}

/** The error body of v1. */
export function v1Failure(status: number, message: string): FakeReply {
  return {
    status,
    body: {
      statusCode: status,
      data: { authorized: true, valid: false, errors: [], successful: false },
      message,
    },
  }
}

function attachmentShape(attachment: ConfluenceAttachment): object {
  return {
    id: attachment.id,
    type: 'attachment',
    status: 'current',
    title: attachment.filename,
    extensions: { mediaType: attachment.mimeType, fileSize: attachment.bytes.length },
    _links: { self: `${WIKI}/rest/api/content/${attachment.id}` },
  }
}

function addLabels(request: FakeRequest, page: ConfluencePage): FakeReply {
  let body: unknown
  try {
    body = JSON.parse(request.body.toString())
  } catch {
    return v1Failure(400, 'Could not parse the request body')
  }
  const rows = (Array.isArray(body) ? body : [body]).filter(isRecord)
  const names = rows.map((row) => row['name']).filter((name) => typeof name === 'string')
  if (names.length === 0 || names.length !== rows.length)
    return v1Failure(400, 'At least one label is required to add labels')
  for (const name of names) if (!page.labels.includes(name)) page.labels.push(name)
  const results = page.labels.map((name) => ({ prefix: 'global', name, id: `l-${name}`, label: name }))
  return {
    status: 200,
    body: { results, start: 0, limit: 200, size: results.length, _links: { base: WIKI } },
  }
}

/** The part of CQL that a review needs: `space`, `type`, `label` with `=`, `title` with `~`, joined by AND. */
function search(request: FakeRequest, world: ConfluenceWorld): FakeReply {
  const cql = request.query.get('cql') ?? ''
  const clauses = cql
    .replace(/\s*order by .*$/i, '')
    .split(/\s+and\s+/i)
    .filter((clause) => clause !== '')
  if (clauses.length === 0) return v1Failure(400, 'Could not parse cql : query is empty')
  let found = [...world.pages.values()]
  for (const clause of clauses) {
    const [, field = '', value = ''] =
      /^\s*(space|type|label|title)\s*[=~]\s*"?([^"]+?)"?\s*$/i.exec(clause) ?? []
    if (field === '') return v1Failure(400, `Could not parse cql : ${clause}`)
    found = found.filter((page) => matches(world, page, field.toLowerCase(), value))
  }
  const limit = Math.min(Number(request.query.get('limit') ?? 25), 200)
  const start = Number(request.query.get('start') ?? 0)
  const results = found.slice(start, start + limit).map((page) => ({
    content: {
      id: page.id,
      type: 'page',
      status: page.status,
      title: page.title,
      _links: { webui: `/pages/${page.id}` },
    },
    title: page.title,
    excerpt: page.storage.replace(/<[^>]+>/g, ''),
    url: `/pages/${page.id}`,
    breadcrumbs: [],
    entityType: 'content',
    iconCssClass: 'aui-icon content-type-page',
    lastModified: page.createdAt,
  }))
  return {
    status: 200,
    body: {
      results,
      start,
      limit,
      size: results.length,
      totalSize: found.length,
      cqlQuery: cql,
      searchDuration: 3,
      _links: { base: WIKI, context: '/wiki' },
    },
  }
}

function matches(world: ConfluenceWorld, page: ConfluencePage, field: string, value: string): boolean {
  switch (field) {
    case 'space':
      return world.spaces.some((space) => space.key === value && space.id === page.spaceId)
    case 'label':
      return page.labels.includes(value)
    case 'title':
      return page.title.toLowerCase().includes(value.toLowerCase())
    default:
      return value === 'page'
  }
}

/** The media host: a signed link is all it takes, and the site's credential is refused. */
export function startMediaHost(world: ConfluenceWorld, options: FakeOptions): Promise<Fake> {
  return startFakeServer(
    {
      routes: [
        fakeRoute('GET /file/{attachment}/binary', (request) => {
          const all = [...world.pages.values()].flatMap((page) => page.attachments)
          const attachment = all.find(({ id }) => id === request.param('attachment'))
          return attachment === undefined
            ? { status: 404 }
            : { status: 200, body: attachment.bytes, headers: { 'Content-Type': attachment.mimeType } }
        }),
      ],
      guard: (request) => {
        if (request.headers.authorization !== undefined)
          return { status: 400, body: 'Only one auth mechanism allowed' }
        return request.query.get('token') === SIGNATURE ? undefined : { status: 403, body: 'Forbidden' }
      },
      notFound: () => ({ status: 404 }),
    },
    options,
  )
}
