import { decodeEntry } from './entry.ts'
import type { RecoveredEpoch } from './recover.ts'

/** Calls of one ended epoch that were decided and whose end nobody wrote down. */
export interface InDoubt {
  readonly epoch: RecoveredEpoch
  readonly calls: readonly string[]
}

/**
 * Finds the calls in doubt. Outcomes are looked for in every epoch at hand: a start that died halfway through its own
 * recovery has already written some of them.
 */
export function findInDoubt(epochs: readonly RecoveredEpoch[]): InDoubt[] {
  const concluded = new Set<string>()
  const intendedBy = new Map<RecoveredEpoch, Set<string>>()
  for (const epoch of epochs) {
    const intended = new Set<string>()
    intendedBy.set(epoch, intended)
    for (const bytes of epoch.entries) collect(bytes, intended, concluded)
  }
  return [...intendedBy].map(([epoch, intended]) => ({
    epoch,
    calls: [...intended].filter((call) => !concluded.has(call)),
  }))
}

function collect(bytes: Buffer, intended: Set<string>, concluded: Set<string>): void {
  const entry = decodeEntry(bytes)
  switch (entry?.type) {
    case 'decision':
      intended.add(entry.call)
      break
    case 'open':
      for (const call of entry.calls) intended.add(call)
      break
    case 'outcome':
      concluded.add(entry.call)
      break
    default:
      break
  }
}
