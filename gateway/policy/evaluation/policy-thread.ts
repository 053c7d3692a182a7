import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import type { Question, ThreadData, Told } from './evaluation-thread.ts'
import type { CompiledPolicy } from './instance.ts'

export interface PolicyThreadEvents {
  onTold(thread: PolicyThread, told: Told): void
  /** Once, however it ended, unless `end` was called. */
  onEnd(thread: PolicyThread, cause: unknown): void
}

/** A thread that evaluates one policy; told apart by identity. */
export class PolicyThread {
  readonly #worker: Worker
  readonly #port: MessagePort
  readonly #onTold: (told: Told) => void
  #memoryPages = 0
  #hasEnded = false

  constructor(compiled: CompiledPolicy, events: PolicyThreadEvents) {
    const { port1, port2 } = new MessageChannel()
    const workerData: ThreadData = { compiled, port: port2 }
    this.#onTold = (told) => {
      if ('memoryPages' in told && told.kind !== 'recycled') this.#memoryPages = told.memoryPages
      if (!this.#hasEnded) events.onTold(this, told)
    }
    this.#port = port1.on('message', this.#onTold)
    this.#worker = new Worker(new URL('evaluation-thread.ts', import.meta.url), {
      workerData,
      transferList: [port2],
      name: 'policy',
    })
    const onEnd = (cause: unknown): void => {
      if (this.#hasEnded) return
      this.end()
      events.onEnd(this, cause)
    }
    this.#worker.on('error', onEnd)
    this.#worker.on('exit', (code) => onEnd(new Error(`the thread of policy ended with code ${code}`)))
  }

  get memoryPages(): number {
    return this.#memoryPages
  }

  ask(question: Question): void {
    this.#port.postMessage(question)
  }

  /** Hears at once what the thread has told already: this one may have been too busy to listen. */
  listen(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.#port)
      if (received === undefined) return
      this.#onTold(received.message)
    }
  }

  end(): void {
    this.#hasEnded = true
    this.#port.close()
    void this.#worker.terminate()
  }
}
