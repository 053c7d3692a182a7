import { problemMembers } from './problem.ts'
import type { RefusalContext, RenderedRefusal } from './problem.ts'

/**
 * GitHub's error body. Octokit parses `application/json` only and builds its message from `message` and
 * `documentation_url`; PyGithub fails with an AttributeError where `message` is missing.
 */
export function renderGithub(context: RefusalContext): RenderedRefusal {
  const members = problemMembers(context)
  return {
    status: members.status,
    headers: ['Content-Type', 'application/json; charset=utf-8'],
    body: Buffer.from(
      JSON.stringify({
        message: `${members.title}. ${members.detail}`,
        documentation_url: members.type,
        ...members,
      }),
    ),
  }
}
