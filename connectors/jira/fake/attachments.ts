import { uploadedFiles } from '../../fake-atlassian.ts'
import { fakeRoute } from '../../fake-route.ts'
import type { FakeHandler, FakeReply, FakeRequest, FakeRoute } from '../../fake-route.ts'
import { startFakeServer } from '../../fake-server.ts'
import type { Fake, FakeOptions } from '../../fake-server.ts'
import { jiraTime } from './comments.ts'
import { failure, NO_CONTENT, ok, withIssue } from './reply.ts'
import { attachmentShape } from './shapes.ts'
import type { JiraAttachment, JiraIssue, JiraWorld } from './world.ts'

const SIGNATURE = 'fake-media-signature'

/** Uploads as multipart, and downloads that Jira redirects to its media host. */
export function attachmentRoutes(world: JiraWorld, mediaOrigin: string): FakeRoute[] {
  const A = '/rest/api/3/attachment'
  const withAttachment =
    (handle: (request: FakeRequest, attachment: JiraAttachment) => FakeReply): FakeHandler =>
    (request) => {
      const attachment = findAttachment(world, request.param('attachment'))
      return attachment === undefined
        ? failure(404, [`The attachment with id '${request.param('attachment')}' does not exist`])
        : handle(request, attachment)
    }
  return [
    fakeRoute(
      'POST /rest/api/3/issue/{issue}/attachments',
      withIssue(world, (request, issue) => attachFiles(world, request, issue)),
    ),
    fakeRoute(`GET ${A}/meta`, () => ok({ enabled: true, uploadLimit: 10_485_760 })),
    fakeRoute(
      `GET ${A}/content/{attachment}`,
      withAttachment((request, attachment) =>
        request.query.get('redirect') === 'false'
          ? { status: 200, body: attachment.bytes, headers: { 'Content-Type': attachment.mimeType } }
          : {
              status: 303,
              headers: { Location: `${mediaOrigin}/file/${attachment.id}/binary?token=${SIGNATURE}` },
            },
      ),
    ),
    fakeRoute(
      `GET ${A}/{attachment}`,
      withAttachment((_, attachment) => ok({ ...attachmentShape(attachment), id: attachment.id })),
    ),
    fakeRoute(
      `DELETE ${A}/{attachment}`,
      withAttachment((_, attachment) => {
        for (const issue of world.issues.values()) {
          const index = issue.attachments.indexOf(attachment)
          if (index >= 0) issue.attachments.splice(index, 1)
        }
        return NO_CONTENT
      }),
    ),
  ]
}

async function attachFiles(world: JiraWorld, request: FakeRequest, issue: JiraIssue): Promise<FakeReply> {
  const files = await uploadedFiles(request)
  if (files.length === 0)
    return failure(400, ['No files were found in the request: send them as parts named "file".'])
  const added = files.map((file): JiraAttachment => ({ ...file, id: world.nextId(), created: jiraTime() }))
  issue.attachments.push(...added)
  return ok(added.map(attachmentShape))
}

function findAttachment(world: JiraWorld, id: string): JiraAttachment | undefined {
  return [...world.issues.values()]
    .flatMap((issue) => issue.attachments)
    .find((attachment) => String(attachment.id) === id)
}

/** The media host: a signed link is all it takes, and the site's credential is refused. */
export function startMediaHost(world: JiraWorld, options: FakeOptions): Promise<Fake> {
  return startFakeServer(
    {
      routes: [
        fakeRoute('GET /file/{attachment}/binary', (request) => {
          const attachment = findAttachment(world, request.param('attachment'))
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
