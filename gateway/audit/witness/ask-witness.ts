import { Agent as HttpAgent } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { WitnessConfig } from '../../config/witness-config.ts'
import { requestService } from '../../policy/service-request.ts'
import { parseNote, type NoteSignature } from '../tlog/note.ts'
import { parseCosignerKey, type CosignerKey } from './cosigner-key.ts'

/** Room for the cosignatures of many keys of one witness. */
const ANSWER_LIMIT_BYTES = 16_384

export interface Submission {
  readonly oldSize: number
  readonly proof: readonly Buffer[]
  /** The checkpoint as it was published. */
  readonly note: string
}

export type Submitted =
  | { readonly kind: 'cosigned'; readonly signature: NoteSignature }
  /** The witness has the log at this size. */
  | { readonly kind: 'conflict'; readonly size: number }
  /** It has another tree than the one that this checkpoint is of. */
  | { readonly kind: 'inconsistent' }
  | { readonly kind: 'refused'; readonly status: number }

/** The other end of `add-checkpoint`: one witness, reached over a connection that is kept. */
export class WitnessClient implements Disposable {
  readonly key: CosignerKey
  readonly #config: WitnessConfig
  readonly #agent: HttpAgent

  constructor(config: WitnessConfig) {
    this.#config = config
    this.key = parseCosignerKey(config.key)
    const options = { keepAlive: true, maxSockets: 1 }
    this.#agent = config.url.startsWith('https:') ? new HttpsAgent(options) : new HttpAgent(options)
  }

  /** Rejects when no answer came in time, or one that is none. */
  async submit({ oldSize, proof, note }: Submission, stop: AbortSignal): Promise<Submitted> {
    const lines = proof.map((hash) => `${hash.toString('base64')}\n`)
    const { url, caFile, timeoutMs } = this.#config
    const signal = AbortSignal.any([stop, AbortSignal.timeout(timeoutMs)])
    const service = {
      url,
      caFile,
      timeoutMs,
      token: undefined,
      clientCertificateFile: undefined,
      clientKeyFile: undefined,
    }
    const answer = await requestService(service, {
      method: 'POST',
      resource: 'add-checkpoint',
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      body: Buffer.from(`old ${String(oldSize)}\n${lines.join('')}\n${note}`),
      token: undefined,
      agent: this.#agent,
      signal,
    })
    return this.#read(answer.statusCode ?? 0, await readAnswer(answer), note)
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }

  #read(status: number, untrustedBody: string, note: string): Submitted {
    if (status === 422) return { kind: 'inconsistent' }
    if (status === 409) {
      const size = Number(/^(0|[1-9]\d{0,15})\n$/.exec(untrustedBody)?.[1] ?? Number.NaN)
      if (!Number.isSafeInteger(size))
        throw new Error('the witness has a conflict and does not say at which size')
      return { kind: 'conflict', size }
    }
    if (status !== 200) return { kind: 'refused', status }
    // tlog-witness: "the client MAY concatenate it to the checkpoint"; other keys' signatures are ignored.
    const cosigned = parseNote(`${note}${untrustedBody}`)
    const signature = cosigned?.signatures.find(
      ({ name, keyId }) => name === this.key.name && keyId === this.key.id,
    )
    if (
      cosigned === undefined ||
      signature === undefined ||
      !this.key.verify(cosigned.text, signature.signature)
    )
      throw new Error('the witness answered with no cosignature of its key')
    return { kind: 'cosigned', signature }
  }
}

async function readAnswer(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > ANSWER_LIMIT_BYTES) throw new Error('the witness answers at too great a length')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
