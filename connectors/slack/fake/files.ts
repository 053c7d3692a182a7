import { fakeRoute, isRecord } from '../../fake-route.ts'
import type { FakeRoute } from '../../fake-route.ts'
import { slackError, slackOk } from './arguments.ts'
import type { SlackMethod } from './methods.ts'
import type { SlackFile, SlackWorld } from './world.ts'

/** The upload in three steps: announce, send the bytes to files.slack.com, complete. */
export const FILE_METHODS: readonly (readonly [string, SlackMethod])[] = [
  [
    'files.getUploadURLExternal',
    (world, input) => {
      const name = input.text('filename')
      const announcedBytes = Number(input.text('length'))
      if (name === undefined || name === '')
        return slackError('invalid_arguments', {
          response_metadata: { messages: ['[ERROR] missing required field: filename'] },
        })
      if (!Number.isInteger(announcedBytes) || announcedBytes < 1)
        return slackError('invalid_arguments', {
          response_metadata: { messages: ['[ERROR] missing required field: length'] },
        })
      const id = `F0${String(world.files.size + 1).padStart(6, '0')}`
      world.files.set(id, { id, name, announcedBytes, bytes: undefined, completed: false })
      return slackOk({ upload_url: `https://files.slack.com/upload/v1/${id}`, file_id: id })
    },
  ],
  [
    'files.completeUploadExternal',
    (world, input) => {
      const listed = input.json('files')
      if (!Array.isArray(listed) || listed.length === 0) return slackError('invalid_arguments')
      const files = listed.map((entry) =>
        isRecord(entry) && typeof entry['id'] === 'string' ? world.files.get(entry['id']) : undefined,
      )
      if (files.some((file) => file?.bytes === undefined)) return slackError('file_not_found')
      const channel = input.text('channel_id')
      if (channel !== undefined && world.channels.get(channel)?.member !== true)
        return slackError('channel_not_found')
      const completed = files.filter((file) => file !== undefined)
      for (const file of completed) file.completed = true
      return slackOk({ files: completed.map(fileShape) })
    },
  ],
  [
    'files.info',
    (world, input) => {
      const file = world.files.get(input.text('file') ?? '')
      return file?.completed === true ? slackOk({ file: fileShape(file) }) : slackError('file_not_found')
    },
  ],
  [
    'files.delete',
    (world, input) =>
      world.files.delete(input.text('file') ?? '') ? slackOk() : slackError('file_not_found'),
  ],
]

/** The second step; the link is the credential, and the size has to be the one announced. */
export function uploadRoute(world: SlackWorld): FakeRoute {
  return fakeRoute('POST /upload/v1/{file}', async (request) => {
    const file = world.files.get(request.param('file'))
    if (file === undefined) return { status: 404, body: 'not_found' }
    const type = request.headers['content-type'] ?? ''
    const form = await new Response(new Uint8Array(request.body), { headers: { 'Content-Type': type } })
      .formData()
      .catch(() => undefined)
    const part =
      form === undefined ? undefined : [...form.values()].find((value) => typeof value !== 'string')
    const bytes = part === undefined ? request.body : Buffer.from(await part.arrayBuffer())
    if (bytes.length !== file.announcedBytes) return { status: 400, body: 'length_mismatch' }
    file.bytes = bytes
    return { status: 200, body: `OK - ${bytes.length}` }
  })
}

function fileShape(file: SlackFile): object {
  return {
    id: file.id,
    name: file.name,
    title: file.name,
    size: file.bytes?.length ?? 0,
    user: 'U0TOOLGATE',
    is_external: false,
  }
}
