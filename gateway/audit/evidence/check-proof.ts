import { commitmentOf, readSalted } from '../disclosures/salted.ts'
import type { Checkpoint } from '../tlog/checkpoint.ts'
import { leafHash } from '../tlog/merkle-hash.ts'
import { isSignedBy } from '../tlog/note.ts'
import { verifyInclusion } from '../tlog/proof.ts'
import type { VerifierKey } from '../tlog/verifier-key.ts'
import type { WitnessPolicy } from '../verify/check-cosigned.ts'
import { parseProof } from './proof-file.ts'

/** Why a file proves nothing. */
export type ProofProblem =
  /** Not a proof with an entry in it. */
  | 'proof.malformed'
  /** None of the keys signed the checkpoint, or a key that does not speak for the log. */
  | 'checkpoint.unsigned'
  /** Fewer of the given witnesses cosigned than have to. */
  | 'cosignature.missing'
  /** The entry is not that entry of the tree that was signed. */
  | 'entry.not_included'
  /** A value is not what the entry commits to. */
  | 'disclosure.foreign'

export interface ProvenEntry {
  readonly proven: true
  readonly checkpoint: Checkpoint
  readonly index: number
  /** Name of the key that signed. */
  readonly signer: string
  readonly cosigners: readonly string[]
  readonly entry: Buffer
  /** Values by path, of those that are disclosed. */
  readonly disclosed: ReadonlyMap<string, unknown>
  /** Paths that the entry commits to and the file does not disclose. */
  readonly withheld: readonly string[]
}

type ProofCheck =
  ProvenEntry | { readonly proven: false; readonly code: ProofProblem; readonly detail: string }

export interface TrustedKeys {
  readonly keys: readonly VerifierKey[]
  readonly cosigned?: WitnessPolicy | undefined
}

/** Checks a proof by nothing but itself and the keys that are trusted. */
export function checkProof(untrustedProof: string, { keys, cosigned }: TrustedKeys): ProofCheck {
  const proof = parseProof(untrustedProof)
  if (proof === undefined) return no('proof.malformed', 'this is no proof with an entry in it')
  const { checkpoint, index, hashes, entry } = proof
  const { origin, size, root, note } = checkpoint
  // A key speaks for the logs of its own deployment, as in `originOf`.
  const signer = keys.find((key) => origin.startsWith(`${key.name}/`) && isSignedBy(note, [key]))
  if (signer === undefined) return no('checkpoint.unsigned', 'none of the keys signed for this log')
  const { witnesses = [], quorum = 0 } = cosigned ?? {}
  const cosigners = witnesses.filter((witness) => isSignedBy(note, [witness])).map(({ name }) => name)
  if (cosigners.length < quorum) {
    const detail = `${String(cosigners.length)} of the given witnesses cosigned, ${String(quorum)} have to`
    return no('cosignature.missing', detail)
  }
  if (!verifyInclusion(index, size, leafHash(entry), hashes, root))
    return no('entry.not_included', 'the entry is not the one of this number in what was signed')
  const commitments = commitmentsIn(entry)
  const disclosed = new Map<string, unknown>()
  for (const text of proof.disclosures) {
    const salted = readSalted(text)
    if (salted === undefined || commitments.get(salted.path) !== commitmentOf(text))
      return no('disclosure.foreign', 'a disclosed value is not what the entry commits to')
    disclosed.set(salted.path, salted.value)
  }
  const withheld = [...commitments.keys()].filter((path) => !disclosed.has(path))
  return { proven: true, checkpoint, index, signer: signer.name, cosigners, entry, disclosed, withheld }
}

/** What an entry commits to, by the path of the value. */
function commitmentsIn(entry: Buffer): Map<string, string> {
  const { disclosed } = readObject(entry.toString())
  if (typeof disclosed !== 'object' || disclosed === null) return new Map()
  return new Map(
    Object.entries(disclosed)
      .filter((each): each is [string, string] => typeof each[1] === 'string')
      .map(([part, commitment]) => [part === 'input' ? 'input' : `input.${part}`, commitment]),
  )
}

function readObject(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : {}
  } catch {
    return {}
  }
}

function no(code: ProofProblem, detail: string): ProofCheck {
  return { proven: false, code, detail }
}
