import { existsSync, readFileSync } from 'node:fs'
import { parseVerifierKey, type VerifierKey } from '../../audit/tlog/verifier-key.ts'
import type { WitnessPolicy } from '../../audit/verify/check-cosigned.ts'
import { parseCosignerKey } from '../../audit/witness/cosigner-key.ts'
import { UsageError } from '../command.ts'

/** A verifier key, or those in a file. */
export function keysIn(given: string): VerifierKey[] {
  return parsed(given, parseVerifierKey)
}

/** Whom `--witness` names and how many `--quorum` asks for; `undefined` when neither is given. */
export function witnessPolicy(
  given: readonly string[],
  quorum: string | undefined,
): WitnessPolicy | undefined {
  const witnesses = given.flatMap((key) => parsed(key, parseCosignerKey))
  if (witnesses.length === 0 && quorum === undefined) return undefined
  // One key under two names would count twice (c2sp.org/tlog-policy: "duplicate").
  if (new Set(witnesses.map(({ publicKey }) => publicKey.toString('hex'))).size < witnesses.length)
    throw new UsageError('a witness is given twice')
  const needed = quorum === undefined ? witnesses.length : Number(quorum)
  if (!Number.isInteger(needed) || needed < 1 || needed > witnesses.length)
    throw new UsageError(`--quorum is a number from 1 to that of the witnesses, ${witnesses.length}`)
  return { witnesses, quorum: needed }
}

function parsed<Key>(given: string, parse: (line: string) => Key): Key[] {
  const lines = existsSync(given) ? readFileSync(given, 'utf8').split('\n').filter(Boolean) : [given]
  try {
    return lines.map((line) => parse(line))
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause))
  }
}
