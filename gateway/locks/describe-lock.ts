import { printable } from '../lib/scrub.ts'
import type { Lock } from './lock.ts'
import { formatScope } from './scope.ts'

/** For the log and the record; a caller learns only that it is locked. */
export function describeLock({ id, scope, reason }: Pick<Lock, 'id' | 'scope' | 'reason'>): string {
  return printable(`lock ${id} on ${formatScope(scope)}: ${reason}`, 256)
}

/** The id of the lock that {@link describeLock} tells of. */
export function lockNamedIn(text: string): string | undefined {
  return /^lock ([\w-]{1,64}) on /.exec(text)?.[1]
}
