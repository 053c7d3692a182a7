import { existsSync, readFileSync } from 'node:fs'
import { parseVerifierKey, type VerifierKey } from '../../audit/tlog/verifier-key.ts'
import { parseCosignerKey, type CosignerKey } from '../../audit/witness/cosigner-key.ts'
import { UsageError } from '../command.ts'

/** A verifier key, or those in a file. */
export function keysIn(given: string): VerifierKey[] {
  return parsed(given, parseVerifierKey)
}

/** The same of witnesses. */
export function witnessKeysIn(given: string): CosignerKey[] {
  return parsed(given, parseCosignerKey)
}

function parsed<Key>(given: string, parse: (line: string) => Key): Key[] {
  const lines = existsSync(given) ? readFileSync(given, 'utf8').split('\n').filter(Boolean) : [given]
  try {
    return lines.map((line) => parse(line))
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause))
  }
}
