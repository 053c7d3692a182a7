import { isDocument } from '../../fake-atlassian.ts'
import { fakeRoute, isRecord } from '../../fake-route.ts'
import type { FakeReply, FakeRequest, FakeRoute } from '../../fake-route.ts'
import { failure, listed, NO_CONTENT, ok, withBody, withIssue } from './reply.ts'
import { issueShape, transitionsFrom } from './shapes.ts'
import { emptyIssue, TRANSITIONS } from './world.ts'
import type { JiraIssue, JiraWorld } from './world.ts'

/** Issues, transitions and watchers. */
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
  ]
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
