import { runningWitness, type RunningWitness } from '../../../harness/running-witness.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../../../harness/temporary-directory.ts'
import { witnessedLog, type WitnessedLog } from '../../../harness/witnessed-log.ts'

/** One log, and a witness of it that has seen nothing yet. */
export interface WitnessScene {
  readonly directory: TemporaryDirectory
  readonly log: WitnessedLog
  readonly witness: RunningWitness
  /** What a witness says it cosigned last, asked as a client without a memory does. */
  newestSize(of: RunningWitness): Promise<string>
}

/** Whoever sets it has the witness stopped and the directory removed. */
export async function setWitnessScene(): Promise<WitnessScene> {
  const directory = await temporaryDirectory()
  const log = witnessedLog()
  const witness = await runningWitness(directory.path, [log.key])
  return {
    directory,
    log,
    witness,
    newestSize: async (of) => (await of.post(await log.request(0, 1))).body,
  }
}
