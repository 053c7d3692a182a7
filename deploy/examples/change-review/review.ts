// Slack's postMessage is not the one of a browser window.
/* oxlint-disable unicorn/require-post-message-target-origin */
import type { Change, Check } from './checks/check.ts'
import { readPatch } from './checks/diff.ts'
import { iamWildcard } from './checks/iam-wildcard.ts'
import { logRetention } from './checks/log-retention.ts'
import { openAdminPort } from './checks/open-admin-port.ts'
import { rollbackPlan } from './checks/rollback-plan.ts'
import { s3PublicAccess } from './checks/s3-public-access.ts'
import type { Clients } from './clients.ts'
import { jiraComment, slackSummary } from './report.ts'
import type { Draft, Review, Standard } from './report.ts'

const CHECKS: readonly Check[] = [s3PublicAccess, iamWildcard, openAdminPort, logRetention, rollbackPlan]

export interface ReviewRequest {
  readonly ticket: string
  readonly owner: string
  readonly repo: string
  readonly pullNumber: number
  /** Key of the Confluence space that holds the standards. */
  readonly standardsSpace: string
  /** Name or id of the Slack channel for the summary. */
  readonly channel: string
}

/** The review that the example is about: ticket CHG-18422 and its pull request. */
export const EXAMPLE_REQUEST: ReviewRequest = {
  ticket: 'CHG-18422',
  owner: 'zyx',
  repo: 'platform-infra',
  pullNumber: 991,
  standardsSpace: 'SEC',
  channel: 'devsecops-change-review',
}

/**
 * Reads ticket, pull request and standards, applies the checks, posts the advice to the ticket and a summary to
 * the channel. Every judgement is a deterministic check; the same change always gets the same review.
 */
export async function reviewChange(clients: Clients, request: ReviewRequest): Promise<Review> {
  const ticket = await readTicket(clients, request)
  const pull = await readPull(clients, request)
  const standards = await readStandards(clients, request)
  const change: Change = { files: pull.files, ticket, pullRequest: pull.body }
  const findings = CHECKS.flatMap((check) => check(change))
  const draft: Draft = {
    ticket: request.ticket,
    pullRequest: `${request.owner}/${request.repo}#${request.pullNumber}`,
    commit: pull.commit,
    verdict: findings.length === 0 ? 'no objections' : 'changes requested',
    findings,
    standards,
  }
  const comment = await clients.jira.issueComments.addComment({
    issueIdOrKey: request.ticket,
    body: jiraComment(draft),
  })
  const message = await clients.slack.chat.postMessage({
    channel: request.channel,
    text: slackSummary(draft),
  })
  return { ...draft, posted: { jiraComment: comment.id ?? '', slackMessage: message.ts ?? '' } }
}

async function readTicket(clients: Clients, { ticket }: ReviewRequest): Promise<string> {
  const issue = await clients.jira.issues.getIssue({
    issueIdOrKey: ticket,
    fields: ['summary', 'description', 'status'],
  })
  const summary: unknown = issue.fields?.['summary']
  return [typeof summary === 'string' ? summary : '', ...textsOf(issue.fields?.['description'])].join('\n')
}

async function readPull(clients: Clients, { owner, repo, pullNumber }: ReviewRequest) {
  const { data: pull } = await clients.github.rest.pulls.get({ owner, repo, pull_number: pullNumber })
  const { data: files } = await clients.github.rest.pulls.listFiles({
    owner,
    repo,
    pull_number: pullNumber,
    per_page: 100,
  })
  return {
    body: pull.body ?? '',
    commit: pull.head.sha,
    files: files.map((file) => readPatch(file.filename, file.patch ?? '')),
  }
}

async function readStandards(clients: Clients, { standardsSpace }: ReviewRequest): Promise<Standard[]> {
  const { results: spaces } = await clients.confluence.space.getSpaces({ keys: [standardsSpace] })
  const spaceId = spaces?.[0]?.id
  if (spaceId === undefined) throw new Error(`there is no space ${standardsSpace}`)
  const { results: pages } = await clients.confluence.page.getPagesInSpace({
    id: Number(spaceId),
    bodyFormat: 'storage',
  })
  return (pages ?? []).flatMap(({ id = '', title = '', version }) => {
    const standard = /^SEC-STD-\d+/.exec(title)?.[0]
    return standard === undefined ? [] : [{ id: standard, title, pageId: id, version: version?.number ?? 0 }]
  })
}

/** The text of an Atlassian document, one entry for each paragraph, heading or item. */
function textsOf(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return []
  const { content } = node as { content?: unknown }
  if (!Array.isArray(content)) return []
  const inline = content.filter(
    (child: unknown): child is { text: string } =>
      typeof child === 'object' && child !== null && 'text' in child && typeof child.text === 'string',
  )
  return inline.length > 0
    ? [inline.map(({ text }) => text).join('')]
    : content.flatMap((child) => textsOf(child))
}
