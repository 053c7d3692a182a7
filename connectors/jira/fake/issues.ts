import { isDocument } from '../../fake-atlassian.ts'
import { fakeRoute, isRecord } from '../../fake-route.ts'
import type { FakeReply, FakeRequest, FakeRoute } from '../../fake-route.ts'
import { failure, NO_CONTENT, numberIn, ok, withBody, withIssue } from './reply.ts'
import { issueShape, transitionsFrom } from './shapes.ts'
import { emptyIssue, TRANSITIONS } from './world.ts'
import type { JiraIssue, JiraWorld } from './world.ts'

/** Issues, search, transitions and watchers. */
export function issueRoutes(world: JiraWorld): FakeRoute[] {
  const I = '/rest/api/3/issue'
  return [
    fakeRoute(`POST ${I}`, (request) => createIssue(world, request)),
    fakeRoute(
      `GET ${I}/{issue}`,
      withIssue(world, (request, issue) =>
        ok(issueShape(world, issue, listed(request.query.getAll('fields')))),
      ),
    ),
    fakeRoute(`PUT ${I}/{issue}`, withIssue(world, editIssue)),
    fakeRoute(
      `DELETE ${I}/{issue}`,
      withIssue(world, (_, issue) => {
        world.issues.delete(issue.key)
        return NO_CONTENT
      }),
    ),
    fakeRoute(
      `PUT ${I}/{issue}/assignee`,
      withIssue(world, (request, issue) =>
        withBody(request, ({ accountId }) => {
          if (typeof accountId !== 'string' && accountId !== null)
            return failure(400, [], { assignee: 'accountId is required' })
          issue.assignee = accountId
          return NO_CONTENT
        }),
      ),
    ),
    fakeRoute(
      `GET ${I}/{issue}/transitions`,
      withIssue(world, (_, issue) =>
        ok({ expand: 'transitions', transitions: transitionsFrom(issue.statusId) }),
      ),
    ),
    fakeRoute(`POST ${I}/{issue}/transitions`, withIssue(world, doTransition)),
    fakeRoute(`POST ${I}/{issue}/watchers`, withIssue(world, addWatcher)),
    fakeRoute('GET /rest/api/3/search/jql', (request) =>
      search(
        world,
        request.query.get('jql') ?? '',
        listed(request.query.getAll('fields')),
        request.query.get('nextPageToken'),
        numberIn(request.query, 'maxResults', 50, 100),
      ),
    ),
    fakeRoute('POST /rest/api/3/search/jql', (request) =>
      withBody(request, (body) =>
        search(
          world,
          typeof body['jql'] === 'string' ? body['jql'] : '',
          Array.isArray(body['fields']) ? body['fields'].filter((name) => typeof name === 'string') : [],
          typeof body['nextPageToken'] === 'string' ? body['nextPageToken'] : null,
          typeof body['maxResults'] === 'number' ? body['maxResults'] : 50,
        ),
      ),
    ),
  ]
}

/** Both forms of a list in a query: repeated, and with commas. */
function listed(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(','))
}

function createIssue(world: JiraWorld, request: FakeRequest): FakeReply {
  return withBody(request, (body) => {
    const fields = isRecord(body['fields']) ? body['fields'] : {}
    const named = isRecord(fields['project']) ? fields['project'] : {}
    const project = world.projects.find(({ id, key }) => key === named['key'] || id === named['id'])
    if (project === undefined) return failure(400, [], { project: 'Specify a valid project ID or key' })
    if (!isRecord(fields['issuetype'])) return failure(400, [], { issuetype: 'Specify an issue type' })
    const summary = fields['summary']
    if (typeof summary !== 'string' || summary === '')
      return failure(400, [], { summary: 'You must specify a summary of the issue.' })
    if (fields['description'] !== undefined && !isDocument(fields['description'])) {
      return failure(400, [], {
        description: 'Operation value must be an Atlassian Document (see the Atlassian Document Format)',
      })
    }
    const id = String(world.nextId())
    const issue: JiraIssue = {
      ...emptyIssue(id, `${project.key}-${nextNumber(world, project.key)}`, summary),
      description: isDocument(fields['description']) ? fields['description'] : null,
    }
    world.issues.set(issue.key, issue)
    return {
      status: 201,
      body: { id, key: issue.key, self: `https://zyx-bank.atlassian.net/rest/api/3/issue/${id}` },
    }
  })
}

function nextNumber(world: JiraWorld, projectKey: string): number {
  const numbers = [...world.issues.values()]
    .filter((issue) => issue.projectKey === projectKey)
    .map((issue) => Number(issue.key.split('-').at(-1)))
  return Math.max(0, ...numbers) + 1
}

function editIssue(request: FakeRequest, issue: JiraIssue): FakeReply {
  return withBody(request, (body) => {
    const fields = isRecord(body['fields']) ? body['fields'] : {}
    const { summary, description } = fields
    if (summary !== undefined && (typeof summary !== 'string' || summary === '')) {
      return failure(400, [], { summary: 'You must specify a summary of the issue.' })
    }
    if (description !== undefined && !isDocument(description)) {
      return failure(400, [], {
        description: 'Operation value must be an Atlassian Document (see the Atlassian Document Format)',
      })
    }
    issue.summary = summary ?? issue.summary
    issue.description = description ?? issue.description
    return NO_CONTENT
  })
}

function doTransition(request: FakeRequest, issue: JiraIssue): FakeReply {
  return withBody(request, (body) => {
    const wanted = isRecord(body['transition']) ? body['transition']['id'] : undefined
    if (typeof wanted !== 'string') return failure(400, ["Missing 'transition' identifier"])
    const transition = TRANSITIONS.find(({ id, from }) => id === wanted && from === issue.statusId)
    if (transition === undefined)
      return failure(400, [
        `It seems that you have tried to perform a workflow operation (${wanted}) that is not valid for the current state of this issue ${issue.key}.`,
      ])
    issue.statusId = transition.to
    return NO_CONTENT
  })
}

/** The body is a bare JSON string, the account id. */
function addWatcher(request: FakeRequest, issue: JiraIssue): FakeReply {
  try {
    const accountId: unknown = JSON.parse(request.body.toString())
    if (typeof accountId !== 'string')
      return failure(400, ['Invalid request payload. Refer to the REST API documentation and try again.'])
    issue.watchers.add(accountId)
    return NO_CONTENT
  } catch {
    return failure(400, ['Invalid request payload. Refer to the REST API documentation and try again.'])
  }
}

/** The part of JQL that a review needs: `project = X`, `key = X`, joined by AND, and an ORDER BY that is by key. */
function search(
  world: JiraWorld,
  jql: string,
  fields: readonly string[],
  pageToken: string | null,
  maxResults: number,
): FakeReply {
  const clauses = jql
    .replace(/\s*order by .*$/i, '')
    .split(/\s+and\s+/i)
    .filter((clause) => clause !== '')
  const tests: { field: string; value: string }[] = []
  for (const clause of clauses) {
    const [, field = '', value = ''] = /^\s*(project|key)\s*=\s*"?([\w-]+)"?\s*$/i.exec(clause) ?? []
    if (field === '')
      return failure(400, [`Error in the JQL Query: the clause '${clause}' is not understood.`])
    tests.push({ field: field.toLowerCase(), value: value.toUpperCase() })
  }
  // Jira refuses a query that would read the whole site.
  if (tests.length === 0)
    return failure(400, [
      'Unbounded JQL queries are not allowed here. Please add a search restriction to your query.',
    ])
  const found = [...world.issues.values()].filter((issue) =>
    tests.every(({ field, value }) => (field === 'key' ? issue.key : issue.projectKey) === value),
  )
  const start = pageToken === null ? 0 : Number(Buffer.from(pageToken, 'base64url').toString())
  if (!Number.isInteger(start)) return failure(400, ['Invalid nextPageToken'])
  const end = start + maxResults
  const isLast = end >= found.length
  return ok({
    isLast,
    issues: found
      .slice(start, end)
      .map((issue) => (fields.length === 0 ? { id: issue.id } : issueShape(world, issue, fields))),
    ...(isLast ? {} : { nextPageToken: Buffer.from(String(end)).toString('base64url') }),
  })
}
