import { timingSafeEqual } from 'node:crypto'
import { hasMediaType, isRecord } from './fake-route.ts'
import type { FakeReply, FakeRequest } from './fake-route.ts'

export const SITE_ORIGIN = 'https://zyx-bank.atlassian.net'

/** The account every Atlassian fake belongs to, and the user name of its basic credential unless set. */
export const SERVICE_ACCOUNT = {
  accountId: '712020:zyx-toolgate',
  email: 'toolgate@zyx.example',
  name: 'Toolgate (ZYX Bank)',
}

/**
 * Judges what an Atlassian site asks of every request: `Basic email:token`, JSON where a body is JSON, and the
 * XSRF header on multipart uploads.
 */
export function guardAtlassian(request: FakeRequest, email: string, token: string): FakeReply | undefined {
  const expected = Buffer.from(`Basic ${Buffer.from(`${email}:${token}`).toString('base64')}`)
  const presented = Buffer.from(request.headers.authorization ?? '')
  if (presented.length !== expected.length || !timingSafeEqual(presented, expected)) {
    return {
      status: 401,
      headers: {
        'WWW-Authenticate': `OAuth realm="${encodeURIComponent(SITE_ORIGIN)}"`,
        'X-Seraph-LoginReason': 'AUTHENTICATED_FAILED',
      },
      body: { message: 'Client must be authenticated to access this resource.', 'status-code': 401 },
    }
  }
  if (hasMediaType(request, 'multipart/form-data')) {
    // Without it a form in a browser could upload with the user's cookie.
    return request.headers['x-atlassian-token'] === 'no-check'
      ? undefined
      : { status: 403, body: 'XSRF check failed' }
  }
  if (request.body.length > 0 && !hasMediaType(request, 'application/json')) {
    return { status: 415, body: { errorMessages: ['Unsupported Media Type'], errors: {} } }
  }
  return undefined
}

/** One file of a multipart upload, in the field that Atlassian reads. */
export interface UploadedFile {
  readonly filename: string
  readonly mimeType: string
  readonly bytes: Buffer
}

/** The parts named `file`; empty where the body is not multipart or names another field. */
export async function uploadedFiles(request: FakeRequest): Promise<UploadedFile[]> {
  const type = request.headers['content-type'] ?? ''
  const form = await new Response(new Uint8Array(request.body), { headers: { 'Content-Type': type } })
    .formData()
    .catch(() => new FormData())
  const files = form.getAll('file').filter((part) => typeof part !== 'string')
  return Promise.all(
    files.map(async (file) => ({
      filename: file.name,
      mimeType: file.type === '' ? 'application/octet-stream' : file.type,
      bytes: Buffer.from(await file.arrayBuffer()),
    })),
  )
}

/** A document in Atlassian Document Format. */
export type AtlassianDocument = {
  type: string
  version: number
  content: Record<string, unknown>[]
}

/** Whether `value` is a document in Atlassian Document Format that holds something. */
export function isDocument(value: unknown): value is Record<string, unknown> {
  return (
    isRecord(value) &&
    value['type'] === 'doc' &&
    value['version'] === 1 &&
    Array.isArray(value['content']) &&
    value['content'].length > 0
  )
}

/** A document of plain paragraphs. */
export function paragraphs(...texts: readonly string[]): AtlassianDocument {
  return {
    type: 'doc',
    version: 1,
    content: texts.map((text) => ({ type: 'paragraph', content: [{ type: 'text', text }] })),
  }
}
