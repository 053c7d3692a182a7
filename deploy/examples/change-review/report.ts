import type { Finding } from './checks/check.ts'

/** A security standard as it was when the change was reviewed. */
export interface Standard {
  readonly id: string
  readonly title: string
  readonly pageId: string
  readonly version: number
}

/** The result of a review, printed as JSON. */
export interface Review {
  readonly ticket: string
  readonly pullRequest: string
  readonly commit: string
  readonly verdict: 'changes requested' | 'no objections'
  readonly findings: readonly Finding[]
  readonly standards: readonly Standard[]
  readonly posted: { readonly jiraComment: string; readonly slackMessage: string }
}

export type Draft = Omit<Review, 'posted'>

/** The advisory comment, as an Atlassian document. */
export function jiraComment(draft: Draft): {
  type: string
  version: number
  content: Record<string, unknown>[]
} {
  const paragraph = (text: string): Record<string, unknown> => ({
    type: 'paragraph',
    content: [{ type: 'text', text }],
  })
  const items = draft.findings.map((finding) => ({
    type: 'listItem',
    content: [paragraph(sentence(draft, finding))],
  }))
  return {
    type: 'doc',
    version: 1,
    content: [
      paragraph(`Advisory review of ${draft.pullRequest} at ${draft.commit.slice(0, 10)}: ${draft.verdict}.`),
      ...(items.length === 0 ? [] : [{ type: 'bulletList', content: items }]),
      paragraph('Written by the change review agent. It advises; people decide.'),
    ],
  }
}

/** The summary for the channel, in Slack's own markup. */
export function slackSummary(draft: Draft): string {
  const counts = ['high', 'medium'].map(
    (severity) => `${draft.findings.filter((each) => each.severity === severity).length} ${severity}`,
  )
  const lines = draft.findings.map((finding) => `• *${finding.check}* ${place(finding)}`.trimEnd())
  return [`*${draft.ticket}* ${draft.pullRequest}: ${draft.verdict} (${counts.join(', ')})`, ...lines].join(
    '\n',
  )
}

function sentence(draft: Draft, finding: Finding): string {
  const standard = draft.standards.find(({ id }) => id === finding.standard)
  const source = standard === undefined ? finding.standard : `${standard.title}, version ${standard.version}`
  return `[${finding.severity}] ${place(finding)} ${finding.evidence}. ${finding.advice} (${source})`.trim()
}

function place({ file, line }: Finding): string {
  if (file === '') return ''
  return line === 0 ? file : `${file}:${line}`
}
