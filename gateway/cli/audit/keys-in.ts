import { existsSync, readFileSync } from 'node:fs'
import { parseVerifierKey, type VerifierKey } from '../../audit/tlog/verifier-key.ts'
import { UsageError } from '../command.ts'

/** A verifier key, or those in a file. */
export function keysIn(given: string): VerifierKey[] {
  const lines = existsSync(given) ? readFileSync(given, 'utf8').split('\n').filter(Boolean) : [given]
  try {
    return lines.map((line) => parseVerifierKey(line))
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause))
  }
}
