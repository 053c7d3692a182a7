import { parseCosignerKey } from '../audit/witness/cosigner-key.ts'
import type { Config } from './config.ts'
import { isSafeSource } from './loopback.ts'
import type { ConfigProblem } from './problem.ts'
import type { WitnessConfig } from './witness-config.ts'

/** Witnesses that could not be believed, or of whom no quorum could ever come. */
export function witnessing({ audit: { witnesses } }: Pick<Config, 'audit'>): ConfigProblem[] {
  if (witnesses === undefined) return []
  const { quorum, each } = witnesses
  const problems: ConfigProblem[] = []
  if (quorum > each.length)
    problems.push({ path: 'audit.witnesses.quorum', reason: `is more than the ${each.length} witnesses` })
  const seen = new Set<string>()
  for (const [index, witness] of each.entries()) {
    const refuse = (setting: keyof WitnessConfig, reason: string): void => {
      problems.push({ path: `audit.witnesses.each.${index}.${setting}`, reason })
    }
    if (!isSafeSource(witness.url)) refuse('url', 'must be https (http only on loopback)')
    try {
      const identity = parseCosignerKey(witness.key).publicKey.toString('hex')
      // One key under two names would count twice (c2sp.org/tlog-policy: "duplicate").
      if (seen.has(identity)) refuse('key', 'is the key of another witness here')
      seen.add(identity)
    } catch (cause) {
      refuse('key', cause instanceof Error ? cause.message : 'is no key')
    }
  }
  return problems
}

/** The CA files that they name, by the path of each setting. */
export function witnessFiles({
  audit: { witnesses },
}: Pick<Config, 'audit'>): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    (witnesses?.each ?? []).map(({ caFile }, index) => [`audit.witnesses.each.${index}.caFile`, caFile]),
  )
}
