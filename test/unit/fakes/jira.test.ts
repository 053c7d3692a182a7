import { createCloudClient } from 'jira.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { paragraphs } from '../../../connectors/fake-atlassian.ts'
import { startJiraFake } from '../../../connectors/jira/fake.ts'
import type { JiraFake } from '../../../connectors/jira/fake.ts'

const token = 'ATATT-correct'
const issueIdOrKey = 'CHG-18422'
let jira: JiraFake

beforeEach(async () => {
  jira = await startJiraFake({ token })
})
afterEach(() => jira[Symbol.asyncDispose]())

/** The SDK's own schemas judge every answer: a mismatch is thrown. */
function client(apiToken: string = token): ReturnType<typeof createCloudClient> {
  return createCloudClient({
    host: jira.origin,
    auth: { type: 'basic', email: 'toolgate@zyx.example', apiToken },
    onSchemaMismatch: 'throw',
  })
}

describe('the Jira fake', () => {
  it('gives a change ticket whose description is a document', async () => {
    const issue = await client().issues.getIssue({ issueIdOrKey })
    expect(issue.key).toBe(issueIdOrKey)
    expect(issue.fields).toMatchObject({
      status: { name: 'In review' },
      description: { type: 'doc', version: 1 },
    })
  })

  it('gives only the fields that were asked for', async () => {
    const issue = await client().issues.getIssue({ issueIdOrKey, fields: ['summary', 'status'] })
    expect(Object.keys(issue.fields ?? {})).toEqual(['summary', 'status'])
  })

  it('refuses a wrong credential as Atlassian does', async () => {
    await expect(client('wrong').myself.getCurrentUser()).rejects.toMatchObject({
      status: 401,
      body: { message: 'Client must be authenticated to access this resource.' },
    })
  })

  it('keeps a posted comment and lets it be changed and deleted', async () => {
    const posted = await client().issueComments.addComment({ issueIdOrKey, body: paragraphs('advisory') })
    const id = posted.id ?? ''
    await client().issueComments.updateComment({ issueIdOrKey, id, body: { body: paragraphs('changed') } })
    const page = await client().issueComments.getComments({ issueIdOrKey })
    expect(page).toMatchObject({ total: 1, comments: [{ id, body: paragraphs('changed') }] })
    await client().issueComments.deleteComment({ issueIdOrKey, id })
    await expect(client().issueComments.getComment({ issueIdOrKey, id })).rejects.toMatchObject({
      status: 404,
    })
  })

  it.each([
    ['without a body', undefined, 'Comment body can not be empty!'],
    ['with a plain string', 'advisory', 'Comment body is not valid!'],
    ['with an empty document', { type: 'doc', version: 1, content: [] }, 'Comment body is not valid!'],
  ])('refuses a comment %s', async (_, body, comment) => {
    const reply = await post(`/rest/api/3/issue/${issueIdOrKey}/comment`, JSON.stringify({ body }))
    expect(reply.status).toBe(400)
    expect(await reply.json()).toEqual({ errorMessages: [], errors: { comment } })
  })

  it('creates, edits, finds and deletes an issue', async () => {
    const { key } = await client().issues.createIssue({
      fields: { project: { key: 'CHG' }, issuetype: { name: 'Change' }, summary: 'Rotate keys' },
    })
    expect(key).toBe('CHG-18423')
    await client().issues.editIssue({ issueIdOrKey: key, fields: { summary: 'Rotate all keys' } })
    const found = await client().issueSearch.searchAndReconsileIssuesUsingJqlPost({
      jql: `key = ${key}`,
      fields: ['summary'],
    })
    expect(found.issues?.[0]?.fields?.['summary']).toBe('Rotate all keys')
    await client().issues.deleteIssue({ issueIdOrKey: key })
    await expect(client().issues.getIssue({ issueIdOrKey: key })).rejects.toMatchObject({ status: 404 })
  })

  it('names the field of an issue that is missing', async () => {
    const fields = { project: { key: 'CHG' }, issuetype: { name: 'Change' } }
    await expect(client().issues.createIssue({ fields })).rejects.toMatchObject({
      status: 400,
      body: { errors: { summary: 'You must specify a summary of the issue.' } },
    })
  })

  it('pages a search by token and refuses one without bounds', async () => {
    const seen: string[] = []
    let nextPageToken: string | undefined
    do {
      const page = await client().issueSearch.searchAndReconsileIssuesUsingJql({
        jql: 'project = CHG',
        fields: ['summary'],
        maxResults: 10,
        ...(nextPageToken === undefined ? {} : { nextPageToken }),
      })
      seen.push(...(page.issues ?? []).map((issue) => issue.key ?? ''))
      nextPageToken = page.nextPageToken ?? undefined
    } while (nextPageToken !== undefined)
    expect(seen).toHaveLength(22)
    await expect(client().issueSearch.searchAndReconsileIssuesUsingJql({ jql: '' })).rejects.toMatchObject({
      status: 400,
    })
  })

  it('follows the workflow and refuses a step that does not start here', async () => {
    const { transitions } = await client().issues.getTransitions({ issueIdOrKey })
    expect(transitions?.map((transition) => transition.name)).toEqual(['Approve', 'Back to draft'])
    await expect(
      client().issues.doTransition({ issueIdOrKey, transition: { id: '11' } }),
    ).rejects.toMatchObject({ status: 400 })
    await client().issues.doTransition({ issueIdOrKey, transition: { id: '21' } })
    expect((await client().issues.getIssue({ issueIdOrKey })).fields).toMatchObject({
      status: { name: 'Approved' },
    })
  })

  it('takes a watcher as a bare JSON string', async () => {
    const reply = await post(`/rest/api/3/issue/${issueIdOrKey}/watchers`, '"712020:dana"')
    expect(reply.status).toBe(204)
    expect(jira.world.issues.get(issueIdOrKey)?.watchers).toContain('712020:dana')
  })

  it('takes attachments as multipart and redirects their content to another host', async () => {
    const bytes = Buffer.from([0, 1, 254, 255])
    const [attachment] = await client().issueAttachments.addAttachment({
      issueIdOrKey,
      attachments: { filename: 'plan.bin', content: bytes },
    })
    const id = attachment?.id ?? ''
    expect(await client().issueAttachments.getAttachmentContent({ id })).toEqual(new Uint8Array(bytes))
    expect(jira.media.requests[0]?.rawHeaders.map((text) => text.toLowerCase())).not.toContain(
      'authorization',
    )
    expect(await client().issueAttachments.getAttachment({ id })).toMatchObject({
      filename: 'plan.bin',
      size: 4,
    })
  })

  it('refuses an upload without the XSRF header', async () => {
    const form = new FormData()
    form.append('file', new Blob(['x']), 'x.txt')
    const reply = await fetch(`${jira.origin}/rest/api/3/issue/${issueIdOrKey}/attachments`, {
      method: 'POST',
      body: form,
      headers: { Authorization: basic() },
    })
    expect([reply.status, await reply.text()]).toEqual([403, 'XSRF check failed'])
  })

  it('refuses a body that is not declared as JSON', async () => {
    const reply = await post(`/rest/api/3/issue/${issueIdOrKey}/comment`, '{}', 'text/plain')
    expect(reply.status).toBe(415)
  })
})

function basic(): string {
  return `Basic ${Buffer.from(`toolgate@zyx.example:${token}`).toString('base64')}`
}

function post(path: string, body: string, contentType = 'application/json'): Promise<Response> {
  return fetch(`${jira.origin}${path}`, {
    method: 'POST',
    body,
    headers: { Authorization: basic(), 'Content-Type': contentType },
  })
}
