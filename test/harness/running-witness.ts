import { join } from 'node:path'
import { systemDisk, type LogDisk } from '../../gateway/audit/log-disk.ts'
import type { VerifierKey } from '../../gateway/audit/tlog/verifier-key.ts'
import type { CosignerKey } from '../../gateway/audit/witness/cosigner-key.ts'
import { startWitnessServer } from '../../gateway/audit/witness/witness-server.ts'
import { Witness } from '../../gateway/audit/witness/witness.ts'
import { virtualClock } from './virtual-clock.ts'

export interface RunningWitness extends AsyncDisposable {
  readonly key: CosignerKey
  readonly url: string
  /** Logs that signed two roots for one size. */
  readonly splitViews: readonly string[]
  readonly faults: readonly unknown[]
  post(body: string | Uint8Array<ArrayBuffer>): Promise<WitnessReply>
}

export interface WitnessReply {
  readonly status: number
  readonly contentType: string | null
  readonly body: string
}

/** A witness with its key and memory in `directory`, served on a port of its own. */
export async function runningWitness(
  directory: string,
  logs: readonly VerifierKey[],
  { disk = systemDisk, name = 'witness.example/w1' }: { disk?: LogDisk; name?: string } = {},
): Promise<RunningWitness> {
  const splitViews: string[] = []
  const faults: unknown[] = []
  const witness = await Witness.open({
    name,
    keyFile: join(directory, 'witness.key'),
    stateDirectory: join(directory, 'state'),
    logs,
    clock: virtualClock(),
    disk,
    onSplitView: (origin, size) => void splitViews.push(`${origin} ${String(size)}`),
  })
  const server = await startWitnessServer(witness, {
    host: '127.0.0.1',
    port: 0,
    tls: undefined,
    onFault: (cause) => void faults.push(cause),
  })
  const url = `http://127.0.0.1:${String(server.port)}`
  return {
    key: witness.key,
    url,
    splitViews,
    faults,
    async post(body) {
      const reply = await fetch(`${url}/add-checkpoint`, {
        method: 'POST',
        body,
        headers: { connection: 'close' },
      })
      const contentType = reply.headers.get('content-type')
      return { status: reply.status, contentType, body: await reply.text() }
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      witness[Symbol.dispose]()
    },
  }
}
