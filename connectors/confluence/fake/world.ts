import { SERVICE_ACCOUNT } from '../../fake-atlassian.ts'

export interface ConfluencePage {
  readonly id: string
  readonly spaceId: string
  readonly parentId: string | null
  title: string
  /** Storage format (XHTML). */
  storage: string
  status: 'current' | 'draft'
  version: number
  readonly labels: string[]
  readonly attachments: ConfluenceAttachment[]
  readonly createdAt: string
}

export interface ConfluenceAttachment {
  readonly id: string
  readonly filename: string
  readonly mimeType: string
  readonly bytes: Buffer
}

export interface ConfluenceComment {
  readonly id: string
  readonly pageId: string
  readonly storage: string
}

export interface ConfluenceSpace {
  readonly id: string
  readonly key: string
  readonly name: string
  readonly homepageId: string
}

export interface ConfluenceWorld {
  readonly spaces: readonly ConfluenceSpace[]
  readonly pages: Map<string, ConfluencePage>
  readonly comments: Map<string, ConfluenceComment>
  readonly nextId: () => string
}

const STANDARDS = [
  [
    'SEC-STD-01 Object storage is never public',
    'All four settings of the S3 public access block stay on, in every account.',
  ],
  [
    'SEC-STD-02 Least privilege',
    'An IAM statement names its actions and its resources; a wildcard alone is not allowed for either.',
  ],
  [
    'SEC-STD-03 Administrative access',
    'Ports for administration (22, 3389, 5985, 5986) are never open to 0.0.0.0/0 or ::/0.',
  ],
  [
    'SEC-STD-04 Log retention',
    'Audit logs are kept for 365 days or longer; a change never lowers the retention below that.',
  ],
  [
    'SEC-STD-05 Rollback',
    'A change ticket and its pull request say how the change is taken back, before it is reviewed.',
  ],
] as const

/** The state every Confluence fake starts with: the security standards in space SEC, and an empty space OPS. */
export function createConfluenceWorld(): ConfluenceWorld {
  let lastId = 900_000
  const pages = new Map<string, ConfluencePage>()
  const spaces = [
    { id: '65538', key: 'SEC', name: 'Security', homepageId: '131100' },
    { id: '65539', key: 'OPS', name: 'Operations', homepageId: '131200' },
  ]
  const add = (id: string, spaceId: string, title: string, text: string, labels: string[]): void => {
    const parentId = spaces.some(({ homepageId }) => homepageId === id) ? null : '131100'
    pages.set(id, { ...newPage(id, spaceId, parentId, title, `<p>${text}</p>`), labels })
  }
  add('131100', '65538', 'Security', 'Start here.', [])
  add('131200', '65539', 'Operations', 'Start here.', [])
  for (const [index, [title, text]] of STANDARDS.entries()) {
    add(String(131_101 + index), '65538', title, text, ['security-standard'])
  }
  return { spaces, pages, comments: new Map(), nextId: () => String((lastId += 1)) }
}

export function newPage(
  id: string,
  spaceId: string,
  parentId: string | null,
  title: string,
  storage: string,
): ConfluencePage {
  return {
    id,
    spaceId,
    parentId,
    title,
    storage,
    status: 'current',
    version: 1,
    labels: [],
    attachments: [],
    createdAt: '2026-03-02T10:00:00.000Z',
  }
}

export const AUTHOR_ID = SERVICE_ACCOUNT.accountId
