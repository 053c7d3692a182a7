import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { CorruptLog } from '../corrupt-log.ts'
import type { PrunedLogFields } from '../entry-fields.ts'
import { FLEET_NODE, listEpochs, type EpochPath } from '../read-entries.ts'
import { RECOVERED_FILE } from '../recover.ts'
import { parseCheckpoint } from '../tlog/checkpoint.ts'
import { listHandovers, withSuccessors } from '../tlog/key-handover.ts'
import { isSignedBy } from '../tlog/note.ts'
import { listKeys } from '../tlog/signing-key.ts'
import type { VerifierKey } from '../tlog/verifier-key.ts'
import { Calls, type OpenCall } from './calls.ts'
import { checkCosigned, type WitnessPolicy } from './check-cosigned.ts'
import { Commitments } from './commitments.ts'
import { Problems, type Problem } from './problem.ts'
import { verifyLog, type LogReport } from './verify-log.ts'

export interface VerifyOptions {
  readonly directory: string
  /** Keys that may have signed, as may those that they handed over to; those that the directory lists without any. */
  readonly keys?: readonly VerifierKey[]
  /** Checkpoints kept elsewhere, as their files hold them, by file name. */
  readonly kept?: ReadonlyMap<string, string>
  /** Every log must have come to its end: sealed, or recovered by a later start. */
  readonly complete?: boolean
  /** Whose cosignatures the fleet logs must have; nobody's without. */
  readonly cosigned?: WitnessPolicy
}

export interface AuditReport {
  readonly problems: readonly Problem[]
  /** `recovered`: a later start has it on record that this log ended. */
  readonly logs: readonly (LogReport & { readonly recovered: boolean })[]
  readonly inDoubt: readonly OpenCall[]
  /** Whether the keys came from the directory itself, where whoever changed it could have put them. */
  readonly keysFromDirectory: boolean
}

/** Checks every log under an audit directory against what was signed, and the logs against each other. Reads only. */
export async function verifyAudit(options: VerifyOptions): Promise<AuditReport> {
  const { directory } = options
  const problems = new Problems()
  const keys = withSuccessors(
    options.keys ?? (await keysOf(directory, problems)),
    await listHandovers(directory),
  )
  const commitments = new Commitments()
  addKept(options, keys, commitments, problems)
  const calls = new Calls()
  const recovered = new Map<string, boolean>()
  const pruned = new Map<string, PrunedLogFields>()
  const logs: LogReport[] = []
  const context = { directory, keys, commitments, calls, recovered, pruned, problems }
  // In this order for a directory in use: what is looked at later can only have grown.
  const marked = new Set((await listEpochs(directory)).filter(isMarked).map(placeOf))
  if (options.cosigned !== undefined)
    checkCosigned((await listEpochs(directory)).filter(isFleet), options.cosigned, context)
  // The fleet log before the others: it says what they must be.
  for (const path of (await listEpochs(directory)).filter(isFleet)) logs.push(await verifyLog(path, context))
  for (const path of await listEpochs(directory)) {
    if (!isFleet(path)) logs.push(await verifyLog(path, context))
  }
  checkConflicts(commitments, problems)
  checkVanished(commitments, logs, pruned, problems)
  checkRecoveries({ directory, logs, recovered, marked, pruned, problems })
  const inDoubt = calls.inDoubt()
  checkEnds(logs, inDoubt, recovered, options.complete ?? false, problems)
  return {
    problems: problems.found,
    logs: logs.map((log) => ({ ...log, recovered: recovered.has(`${log.node}/${log.epoch}`) })),
    inDoubt,
    keysFromDirectory: options.keys === undefined,
  }
}

function isMarked({ directory }: EpochPath): boolean {
  return existsSync(join(directory, RECOVERED_FILE))
}

function placeOf({ node, epoch }: EpochPath): string {
  return `${node}/${epoch}`
}

function isFleet({ node }: EpochPath): boolean {
  return node === FLEET_NODE
}

async function keysOf(directory: string, problems: Problems): Promise<VerifierKey[]> {
  try {
    return await listKeys(directory)
  } catch (cause) {
    if (!(cause instanceof CorruptLog)) throw cause
    problems.add('key.malformed', relative(directory, cause.path), cause.offset, cause.message)
    return []
  }
}

function addKept(
  { kept = new Map() }: VerifyOptions,
  keys: readonly VerifierKey[],
  commitments: Commitments,
  problems: Problems,
): void {
  for (const [file, text] of kept) {
    const checkpoint = parseCheckpoint(text)
    if (checkpoint === undefined) problems.add('checkpoint.malformed', file, 0, 'this is no checkpoint')
    else if (!isSignedBy(checkpoint.note, keys))
      problems.add('checkpoint.unsigned', file, 0, 'no given key signed this checkpoint')
    else commitments.add(checkpoint, 'a checkpoint kept elsewhere', file)
  }
}

function checkConflicts({ conflicts }: Commitments, problems: Problems): void {
  for (const { checkpoint, commitment } of conflicts) {
    const { origin, size } = checkpoint
    problems.add('log.rewritten', commitment.file, 0, `${origin} was signed twice at size ${String(size)}`)
  }
}

/** A log that was pruned has to be on record as it was: with no fewer entries than are known of it, and the same root. */
function checkVanished(
  commitments: Commitments,
  logs: readonly LogReport[],
  pruned: ReadonlyMap<string, PrunedLogFields>,
  problems: Problems,
): void {
  const present = new Set(logs.map(({ node, epoch }) => `${node}/${epoch}`))
  for (const place of commitments.places()) {
    const [node = '', epoch = ''] = place.split('/')
    const last = commitments.of({ node, epoch }).at(-1)
    if (last === undefined || present.has(place)) continue
    const tombstone = pruned.get(place)
    const isAsPruned =
      tombstone !== undefined &&
      (tombstone.size > last.size ||
        (tombstone.size === last.size && tombstone.root === last.root.toString('base64')))
    if (isAsPruned) continue
    const detail = `the log is not there; ${last.source} has it with ${String(last.size)} entries`
    problems.add('log.missing', place, 0, detail)
  }
}

/** `recovered` maps `node/epoch` to whether its process had sealed it, as starts put it on record. */
function checkRecoveries({
  directory,
  logs,
  recovered,
  marked,
  pruned,
  problems,
}: {
  readonly directory: string
  readonly logs: readonly LogReport[]
  readonly recovered: ReadonlyMap<string, boolean>
  readonly marked: ReadonlySet<string>
  readonly pruned: ReadonlyMap<string, PrunedLogFields>
  readonly problems: Problems
}): void {
  const present = new Map(logs.map((log) => [`${log.node}/${log.epoch}`, log]))
  for (const [place, sealed] of recovered) {
    const log = present.get(place)
    if (log === undefined && pruned.has(place)) continue
    if (log === undefined) {
      problems.add('log.missing', place, 0, 'a start recovered this log, and it is not there')
    } else if (sealed !== log.sealed) {
      problems.add('order.seal', place, 0, `the start that recovered it found it ${sealed ? '' : 'un'}sealed`)
    }
  }
  for (const place of present.keys()) {
    const marker = join(place, RECOVERED_FILE)
    if (marked.has(place) && !recovered.has(place))
      problems.add('recovery.missing', marker, 0, 'no start has this recovery on record')
    if (recovered.has(place) && !existsSync(join(directory, marker)))
      problems.add('recovery.unfinished', marker, 0, 'a start has this recovery on record and did not end it')
  }
}

function checkEnds(
  logs: readonly LogReport[],
  inDoubt: readonly OpenCall[],
  recovered: ReadonlyMap<string, boolean>,
  complete: boolean,
  problems: Problems,
): void {
  for (const { call, node, epoch } of inDoubt) {
    const place = `${node}/${epoch}`
    if (recovered.has(place))
      problems.add('outcome.missing', place, 0, `call ${call} was in doubt, and no recovery gave it an end`)
  }
  for (const { node, epoch, sealed, entries, signed } of logs) {
    const place = `${node}/${epoch}`
    const hasEnded = sealed || recovered.has(place)
    if (hasEnded && signed < entries) {
      const detail = `the log has ended with ${String(entries)} entries, and ${String(signed)} of them are signed`
      problems.add('checkpoint.behind', join(place, 'checkpoint'), 0, detail)
    } else if (!hasEnded && complete) {
      problems.add('log.open', place, 0, 'neither sealed nor recovered by a later start')
    }
  }
}
