import { paragraphs } from '../../fake-atlassian.ts'

export interface JiraComment {
  readonly id: string
  body: Record<string, unknown>
  readonly created: string
  updated: string
}

export interface JiraAttachment {
  readonly id: number
  readonly filename: string
  readonly mimeType: string
  readonly bytes: Buffer
  readonly created: string
}

export interface JiraIssue {
  readonly id: string
  readonly key: string
  readonly projectKey: string
  summary: string
  description: Record<string, unknown> | null
  statusId: string
  readonly labels: string[]
  assignee: string | null
  readonly watchers: Set<string>
  readonly created: string
  readonly comments: JiraComment[]
  readonly attachments: JiraAttachment[]
}

export interface JiraProject {
  readonly id: string
  readonly key: string
  readonly name: string
}

/** The workflow of change tickets: which transition leads where. */
export const STATUSES = [
  { id: '10001', name: 'Draft', category: { id: 2, key: 'new', name: 'To Do', colorName: 'blue-gray' } },
  {
    id: '10002',
    name: 'In review',
    category: { id: 4, key: 'indeterminate', name: 'In Progress', colorName: 'yellow' },
  },
  { id: '10003', name: 'Approved', category: { id: 3, key: 'done', name: 'Done', colorName: 'green' } },
] as const

export const TRANSITIONS = [
  { id: '11', name: 'Send to review', from: '10001', to: '10002' },
  { id: '21', name: 'Approve', from: '10002', to: '10003' },
  { id: '31', name: 'Back to draft', from: '10002', to: '10001' },
] as const

export interface JiraWorld {
  readonly projects: readonly JiraProject[]
  readonly issues: Map<string, JiraIssue>
  readonly nextId: () => number
}

/** The state every Jira fake starts with: project CHG with change ticket CHG-18422, and some older tickets. */
export function createJiraWorld(): JiraWorld {
  let lastId = 500_000
  const nextId = (): number => (lastId += 1)
  const issues = new Map<string, JiraIssue>()
  const add = (
    key: string,
    summary: string,
    description: Record<string, unknown> | null,
    statusId: string,
  ): void => {
    issues.set(key, { ...emptyIssue(String(nextId()), key, summary), description, statusId })
  }
  for (let number = 18_401; number <= 18_421; number += 1) {
    add(
      `CHG-${number}`,
      `Routine platform change ${number}`,
      paragraphs('Patch window of the platform team.'),
      '10003',
    )
  }
  add('CHG-18422', 'Open the platform for the Q4 migration', description18422(), '10002')
  return {
    projects: [
      { id: '10100', key: 'CHG', name: 'Change management' },
      { id: '10200', key: 'PAY', name: 'Payments' },
    ],
    issues,
    nextId,
  }
}

export function emptyIssue(id: string, key: string, summary: string): JiraIssue {
  return {
    id,
    key,
    projectKey: key.slice(0, key.lastIndexOf('-')),
    summary,
    description: null,
    statusId: '10001',
    labels: [],
    assignee: null,
    watchers: new Set(),
    created: '2026-11-16T09:00:00.000+0000',
    comments: [],
    attachments: [],
  }
}

/** A filled-in change form in which the rollback plan was left out. */
function description18422(): Record<string, unknown> {
  const heading = (text: string): object => ({
    type: 'heading',
    attrs: { level: 3 },
    content: [{ type: 'text', text }],
  })
  const item = (text: string): object => ({
    type: 'listItem',
    content: [{ type: 'paragraph', content: [{ type: 'text', text }] }],
  })
  return {
    type: 'doc',
    version: 1,
    content: [
      heading('What changes'),
      {
        type: 'bulletList',
        content: [
          item('The log archive can be read by the import job.'),
          item('The migration team reaches the bastion.'),
        ],
      },
      heading('Where'),
      {
        type: 'paragraph',
        content: [
          { type: 'text', text: 'Pull request ' },
          {
            type: 'text',
            text: 'zyx/platform-infra#991',
            marks: [{ type: 'link', attrs: { href: 'https://github.com/zyx/platform-infra/pull/991' } }],
          },
          { type: 'text', text: ', staging.' },
        ],
      },
      heading('Risk'),
      { type: 'paragraph', content: [{ type: 'text', text: 'Low, according to the requester.' }] },
    ],
  }
}
