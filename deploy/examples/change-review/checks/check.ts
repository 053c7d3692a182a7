import type { Block, FileDiff } from './diff.ts'

type Severity = 'high' | 'medium'

/** One thing that a check has found, with the lines that prove it. */
export interface Finding {
  readonly check: string
  /** Id of the security standard that it goes against, the first word of that page's title. */
  readonly standard: string
  readonly severity: Severity
  readonly file: string
  /** Line in the changed file; 0 where the finding is about the whole change. */
  readonly line: number
  readonly evidence: string
  readonly advice: string
}

/** What a review knows of a change; checks look at nothing else, so the same change gives the same findings. */
export interface Change {
  readonly files: readonly FileDiff[]
  /** Text of the change ticket. */
  readonly ticket: string
  /** Description of the pull request. */
  readonly pullRequest: string
}

export type Check = (change: Change) => readonly Finding[]

/** Every block of every Terraform file of the change. */
export function terraformBlocks(change: Change): { file: FileDiff; block: Block }[] {
  return change.files
    .filter(({ path }) => path.endsWith('.tf'))
    .flatMap((file) => file.blocks.map((block) => ({ file, block })))
}
