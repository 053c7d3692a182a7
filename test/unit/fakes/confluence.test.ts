import { createV1Client, createV2Client } from 'confluence.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startConfluenceFake } from '../../../connectors/confluence/fake.ts'
import type { ConfluenceFake } from '../../../connectors/confluence/fake.ts'

const token = 'ATATT-correct'
let confluence: ConfluenceFake

beforeEach(async () => {
  confluence = await startConfluenceFake({ token })
})
afterEach(() => confluence[Symbol.asyncDispose]())

/** The SDK checks every answer against its schemas and throws where one does not fit. */
function config(apiToken: string = token) {
  return {
    host: confluence.origin,
    auth: { type: 'basic', email: 'toolgate@zyx.example', apiToken },
  } as const
}
const v1 = () => createV1Client(config())
const v2 = () => createV2Client(config())

describe('the Confluence fake', () => {
  it('gives the security standards of a space, with the body that was asked for', async () => {
    const { results: spaces } = await v2().space.getSpaces({ keys: ['SEC'] })
    const { results: pages } = await v2().page.getPagesInSpace({ id: 65538, bodyFormat: 'storage' })
    expect(spaces?.map((space) => space.id)).toEqual(['65538'])
    expect(pages?.filter((page) => page.title?.startsWith('SEC-STD-'))).toHaveLength(5)
    expect(pages?.[1]?.body?.storage?.value).toContain('S3 public access block')
    expect((await v2().page.getPageById({ id: 131101 })).body).toEqual({})
  })

  it('pages by cursor, with a link relative to the site', async () => {
    const first = await v2().page.getPages({ spaceId: [65538], limit: 4 })
    const next = new URL(first._links?.next ?? '', confluence.origin)
    expect(next.pathname).toBe('/wiki/api/v2/pages')
    const second = await v2().page.getPages({
      spaceId: [65538],
      limit: 4,
      cursor: next.searchParams.get('cursor') ?? '',
    })
    expect([first.results?.length, second.results?.length]).toEqual([4, 2])
    expect(second._links?.next).toBeUndefined()
  })

  it('creates a page, refuses a stale update and deletes it', async () => {
    const page = await v2().page.createPage({
      body: { spaceId: '65539', title: 'Runbook', body: { representation: 'storage', value: '<p>1</p>' } },
    })
    const id = page.id ?? ''
    const update = (number: number) =>
      v2().page.updatePage({
        id: Number(id),
        body: {
          id,
          status: 'current',
          title: 'Runbook',
          body: { representation: 'storage', value: '<p>2</p>' },
          version: { number },
        },
      })
    await expect(update(1)).rejects.toMatchObject({ status: 409 })
    expect((await update(2)).version?.number).toBe(2)
    await v2().page.deletePage({ id: Number(id) })
    await expect(v2().page.getPageById({ id: Number(id) })).rejects.toMatchObject({
      status: 404,
      body: { errors: [{ code: 'NOT_FOUND' }] },
    })
  })

  it('keeps a footer comment', async () => {
    await v2().comment.createFooterComment({
      pageId: '131101',
      body: { representation: 'storage', value: '<p>seen</p>' },
    })
    const { results } = await v2().comment.getPageFooterComments({ id: 131101, bodyFormat: 'storage' })
    expect(results?.map((comment) => comment.body?.storage?.value)).toEqual(['<p>seen</p>'])
  })

  it('searches by CQL and writes labels through v1', async () => {
    const found = await v1().search.searchByCQL({
      cql: 'space = SEC AND label = "security-standard" order by title',
    })
    expect(found.totalSize).toBe(5)
    await v1().contentLabels.addLabelsToContent({
      id: '131200',
      body: [{ prefix: 'global', name: 'runbook' }],
    })
    expect((await v2().label.getPageLabels({ id: 131200 })).results?.map((label) => label.name)).toEqual([
      'runbook',
    ])
    await v1().contentLabels.removeLabelFromContent({ id: '131200', label: 'runbook' })
    await expect(v1().search.searchByCQL({ cql: 'nonsense' })).rejects.toMatchObject({ status: 400 })
  })

  it('takes attachments as multipart and redirects their content to another host', async () => {
    const bytes = Buffer.from([0, 1, 254, 255])
    const { results } = await v1().contentAttachments.createAttachment({
      id: '131200',
      attachments: { filename: 'plan.bin', content: bytes },
    })
    const attachmentId = results[0]?.id ?? ''
    expect(await v1().contentAttachments.downloadAttatchment({ id: '131200', attachmentId })).toEqual(
      new Uint8Array(bytes),
    )
    expect(confluence.media.requests[0]?.rawHeaders.map((text) => text.toLowerCase())).not.toContain(
      'authorization',
    )
  })

  it('refuses a wrong credential and a bare bearer token', async () => {
    await expect(createV2Client(config('wrong')).space.getSpaces({})).rejects.toMatchObject({ status: 401 })
    const reply = await fetch(`${confluence.origin}/wiki/rest/api/user/current`, {
      headers: { Authorization: `Bearer ${token}` },
    })
    expect(reply.status).toBe(401)
  })
})
