import { randomBytes } from 'node:crypto'
import { createV2Client, isApiError as isConfluenceError } from 'confluence.js'
import { createCloudClient, isApiError as isJiraError } from 'jira.js'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startSdkWorld, type SdkWorld } from '../harness/sdk-world.ts'

let world: SdkWorld
let jira: ReturnType<typeof createCloudClient>
let confluence: ReturnType<typeof createV2Client>
beforeAll(async () => {
  world = await startSdkWorld()
  jira = createCloudClient({ host: `${world.toolgate.origin}/jira` })
  confluence = createV2Client({ host: `${world.toolgate.origin}/confluence` })
})
afterAll(() => world[Symbol.asyncDispose]())
beforeEach(() => void world.takeRequests())

const ISSUE = 'CHG-18422'
const thrown = (error: unknown): unknown => error

describe('jira.js through the gateway', () => {
  it('reads', async () => {
    const issue = await jira.issues.getIssue({ issueIdOrKey: ISSUE })
    expect(issue.key).toBe(ISSUE)
  })

  it('writes, and reads back what it wrote', async () => {
    const body = {
      type: 'doc',
      version: 1,
      content: [{ type: 'paragraph', content: [{ type: 'text', text: 'Größe ✓' }] }],
    }
    const { id = '' } = await jira.issueComments.addComment({ issueIdOrKey: ISSUE, body })
    const { comments = [] } = await jira.issueComments.getComments({ issueIdOrKey: ISSUE })
    expect(comments.find((comment) => comment.id === id)?.body).toEqual(body)
  })

  it('pages', async () => {
    const first = await jira.projects.searchProjects({ startAt: 0, maxResults: 1 })
    const second = await jira.projects.searchProjects({ startAt: 1, maxResults: 1 })
    expect(first.values?.[0]?.key).not.toBe(second.values?.[0]?.key)
    expect(world.takeRequests()).toHaveLength(2)
  })

  it('attaches a file as multipart, bytes as they are', async () => {
    const bytes = randomBytes(20_000)
    await jira.issueAttachments.addAttachment({
      issueIdOrKey: ISSUE,
      attachments: { filename: 'plan.bin', content: bytes },
    })
    const attached = world.toolgate.fakes.jira.world.issues.get(ISSUE)?.attachments.at(-1)
    expect(attached?.bytes.equals(bytes)).toBe(true)
  })

  it('is answered without content where there is none', async () => {
    await jira.issues.assignIssue({ issueIdOrKey: ISSUE, accountId: '712020:lee' })
    expect(world.takeRequests()).toEqual([`PUT /jira/rest/api/3/issue/${ISSUE}/assignee`])
  })

  it('raises one ApiError for what policy denies, and asks once', async () => {
    const error: unknown = await jira.issues.deleteIssue({ issueIdOrKey: ISSUE }).catch(thrown)
    expect(isJiraError(error)).toBe(true)
    expect(error).toMatchObject({ status: 403, body: { code: 'policy.denied' } })
    expect(world.takeRequests()).toHaveLength(1)
  })

  it('raises one ApiError for a limit, and asks once', async () => {
    await jira.myself.getCurrentUser()
    world.takeRequests()
    const error: unknown = await jira.myself.getCurrentUser().catch(thrown)
    expect(error).toMatchObject({ status: 429, body: { code: 'limit.rate' } })
    expect(world.takeRequests()).toHaveLength(1)
  })

  it('hears of what Jira refuses as Jira says it', async () => {
    const error: unknown = await jira.issues.getIssue({ issueIdOrKey: 'CHG-1' }).catch(thrown)
    expect(error).toMatchObject({ status: 404, body: { errorMessages: [expect.any(String)] } })
    expect((error as { body: object }).body).not.toHaveProperty('code')
  })
})

describe('confluence.js through the gateway', () => {
  it('reads and writes', async () => {
    const { results = [] } = await confluence.page.getPages({ limit: 1 })
    const pageId = String(results[0]?.id)
    const { id } = await confluence.comment.createFooterComment({
      pageId,
      body: { representation: 'storage', value: '<p>geprüft ✓</p>' },
    })
    expect(id).toBeDefined()
  })

  it('pages with the cursor of the answer', async () => {
    const first = await confluence.page.getPages({ limit: 1 })
    const next = new URL(String(first._links?.next), 'https://site.test').searchParams.get('cursor') ?? ''
    const second = await confluence.page.getPages({ limit: 1, cursor: next })
    expect(second.results?.[0]?.id).not.toBe(first.results?.[0]?.id)
  })

  it('raises one ApiError for what policy denies, and asks once', async () => {
    const error: unknown = await confluence.page.deletePage({ id: 1 }).catch(thrown)
    expect(isConfluenceError(error)).toBe(true)
    expect(error).toMatchObject({ status: 403, body: { code: 'policy.denied' } })
    expect(world.takeRequests()).toHaveLength(1)
  })

  it('raises one ApiError for a limit, and asks once', async () => {
    await confluence.space.getSpaces()
    world.takeRequests()
    const error: unknown = await confluence.space.getSpaces().catch(thrown)
    expect(error).toMatchObject({ status: 429, body: { code: 'limit.rate' } })
    expect(world.takeRequests()).toHaveLength(1)
  })
})

it('leaves nothing of the agent behind', () => {
  const { jira: jiraFake, confluence: confluenceFake } = world.toolgate.fakes
  expect(jiraFake.requests.length + confluenceFake.requests.length).toBeGreaterThan(10)
  expect([...jiraFake.requests, ...confluenceFake.requests].flatMap(({ leaks }) => leaks)).toEqual([])
})
