import { closed, milliseconds, oneOf } from './schema-parts.ts'

export const locksSchema = closed({
  staleAfterMs: {
    ...milliseconds(1_000, 600_000, 5_000),
    description: 'Milliseconds without news of the locks after which writes are refused',
  },
  onStale: closed({
    read: { ...oneOf(['allow', 'refuse'], 'allow'), description: 'What becomes of reads then' },
  }),
})
