import { jsonObject } from '../../fake-route.ts'
import type { FakeHandler, FakeReply, FakeRequest } from '../../fake-route.ts'
import type { JiraIssue, JiraWorld } from './world.ts'

export const NO_CONTENT: FakeReply = { status: 204 }

export function ok(body: object): FakeReply {
  return { status: 200, body }
}

/** Jira's error body: sentences, and one entry for each field that is wrong. */
export function failure(
  status: number,
  errorMessages: readonly string[],
  errors: Readonly<Record<string, string>> = {},
): FakeReply {
  return { status, body: { errorMessages, errors } }
}

/** Runs a handler with the issue that `{issue}` names by key or id. */
export function withIssue(
  world: JiraWorld,
  handle: (request: FakeRequest, issue: JiraIssue) => FakeReply | Promise<FakeReply>,
): FakeHandler {
  return (request) => {
    const name = request.param('issue')
    const issue =
      world.issues.get(name.toUpperCase()) ?? [...world.issues.values()].find(({ id }) => id === name)
    return issue === undefined
      ? failure(404, ['Issue does not exist or you do not have permission to see it.'])
      : handle(request, issue)
  }
}

export function withBody(
  request: FakeRequest,
  handle: (body: Readonly<Record<string, unknown>>) => FakeReply,
): FakeReply {
  const body = jsonObject(request.body)
  return body === undefined
    ? failure(400, ['Invalid request payload. Refer to the REST API documentation and try again.'])
    : handle(body)
}

/** A bounded whole number from the query, or `otherwise`. */
export function numberIn(query: URLSearchParams, name: string, otherwise: number, most: number): number {
  const value = Number(query.get(name) ?? otherwise)
  return Number.isInteger(value) && value >= 0 ? Math.min(value, most) : otherwise
}

/** Both forms of a list in a query: repeated, and with commas. */
export function listed(values: readonly string[]): string[] {
  return values.flatMap((value) => value.split(','))
}
