import { fakeRoute } from '../../fake-route.ts'
import type { FakeReply, FakeRoute } from '../../fake-route.ts'
import { failure, listed, numberIn, ok, withBody } from './reply.ts'
import { issueShape } from './shapes.ts'
import type { JiraWorld } from './world.ts'

/** Search by JQL, with the query in the address or in the body. */
export function searchRoutes(world: JiraWorld): FakeRoute[] {
  return [
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
