import { SERVICE_ACCOUNT, SITE_ORIGIN } from '../../fake-atlassian.ts'
import { STATUSES, TRANSITIONS } from './world.ts'
import type { JiraAttachment, JiraComment, JiraIssue, JiraProject, JiraWorld } from './world.ts'

const REST = `${SITE_ORIGIN}/rest/api/3`

export function userShape(accountId: string = SERVICE_ACCOUNT.accountId): object {
  const known = accountId === SERVICE_ACCOUNT.accountId
  return {
    self: `${REST}/user?accountId=${encodeURIComponent(accountId)}`,
    accountId,
    accountType: known ? 'app' : 'atlassian',
    active: true,
    displayName: known ? SERVICE_ACCOUNT.name : accountId,
    timeZone: 'Europe/Vienna',
  }
}

export function projectShape(project: JiraProject): object {
  return {
    self: `${REST}/project/${project.id}`,
    id: project.id,
    key: project.key,
    name: project.name,
    projectTypeKey: 'business',
    style: 'classic',
    simplified: false,
    isPrivate: false,
  }
}

function statusShape(id: string): object {
  const status = STATUSES.find((each) => each.id === id)
  return { self: `${REST}/status/${id}`, id, name: status?.name, statusCategory: status?.category }
}

/** An issue; `wanted` is the `fields` parameter (`*all`, names, or `-name` to leave one out). */
export function issueShape(world: JiraWorld, issue: JiraIssue, wanted: readonly string[]): object {
  const project = world.projects.find(({ key }) => key === issue.projectKey)
  const all: Record<string, unknown> = {
    summary: issue.summary,
    description: issue.description,
    status: statusShape(issue.statusId),
    project: project === undefined ? null : projectShape(project),
    issuetype: { self: `${REST}/issuetype/10010`, id: '10010', name: 'Change', subtask: false },
    priority: { self: `${REST}/priority/3`, id: '3', name: 'Medium' },
    labels: issue.labels,
    assignee: issue.assignee === null ? null : userShape(issue.assignee),
    reporter: userShape(),
    created: issue.created,
    updated: issue.created,
    comment: {
      comments: issue.comments.map((comment) => commentShape(issue, comment)),
      total: issue.comments.length,
      startAt: 0,
      maxResults: issue.comments.length,
    },
    attachment: issue.attachments.map(attachmentShape),
  }
  const chosen = wanted.filter((name) => !name.startsWith('-'))
  const everything = chosen.length === 0 || chosen.some((name) => name === '*all' || name === '*navigable')
  const fields = Object.entries(all).filter(
    ([name]) => (everything || chosen.includes(name)) && !wanted.includes(`-${name}`),
  )
  return {
    expand: 'renderedFields,names,schema,transitions',
    id: issue.id,
    key: issue.key,
    self: `${REST}/issue/${issue.id}`,
    fields: Object.fromEntries(fields),
  }
}

export function commentShape(issue: JiraIssue, comment: JiraComment): object {
  return {
    self: `${REST}/issue/${issue.id}/comment/${comment.id}`,
    id: comment.id,
    author: userShape(),
    updateAuthor: userShape(),
    body: comment.body,
    created: comment.created,
    updated: comment.updated,
    jsdPublic: true,
  }
}

/** An attachment as issues list it; `GET /attachment/{id}` gives the id as a number instead. */
export function attachmentShape(attachment: JiraAttachment): object {
  return {
    self: `${REST}/attachment/${attachment.id}`,
    id: String(attachment.id),
    filename: attachment.filename,
    author: userShape(),
    created: attachment.created,
    size: attachment.bytes.length,
    mimeType: attachment.mimeType,
    content: `${REST}/attachment/content/${attachment.id}`,
  }
}

export function transitionsFrom(statusId: string): object[] {
  return TRANSITIONS.filter((transition) => transition.from === statusId).map((transition) => ({
    id: transition.id,
    name: transition.name,
    to: statusShape(transition.to),
    hasScreen: false,
    isGlobal: false,
    isInitial: false,
    isConditional: false,
    isAvailable: true,
  }))
}
