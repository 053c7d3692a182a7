import { closed, integer, milliseconds } from './schema-parts.ts'

const LONGEST_ANSWER_MS = 30 * 86_400_000

export const approvalsSchema = closed({
  maxWaitMs: {
    ...milliseconds(0, 3_600_000, 300_000),
    description: 'Longest that Prefer: wait holds a connection, in milliseconds',
  },
  maxHeld: {
    ...integer(0, 100_000, 1_000),
    description: 'Connections that one process holds at once for Prefer: wait',
  },
  answerWithinMs: {
    ...closed({
      min: milliseconds(1_000, LONGEST_ANSWER_MS, 60_000),
      max: milliseconds(1_000, LONGEST_ANSWER_MS, 86_400_000),
    }),
    description: 'Bounds of the time that policy gives people to answer',
  },
  useWithinMs: {
    ...milliseconds(1_000, 86_400_000, 900_000),
    description: 'How long an approved call has to be made, in milliseconds',
  },
  maxPendingPerAgent: {
    ...integer(1, 10_000, 20),
    description: 'Approvals, and reviews, of one agent that may wait for people at once',
  },
  maxPending: { ...integer(1, 100_000, 10_000), description: 'The same of all agents' },
  excludePrincipalGroups: {
    type: 'boolean',
    default: false,
    description: 'Nobody may answer who shares a group with the person that the call is made for',
  },
  retention: {
    ...closed({ days: integer(1, 3_650, 30), count: integer(0, 1_000_000, 20_000) }),
    description: 'How long, and how many, of those that are over are kept beside the record',
  },
})
