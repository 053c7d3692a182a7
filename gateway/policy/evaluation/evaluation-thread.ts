/** Runs in a thread of its own, which `isolated-evaluation.ts` starts and ends: evaluates what it is asked, in order. */
import { workerData } from 'node:worker_threads'
import type { MessagePort } from 'node:worker_threads'
import { createEvaluation } from './evaluation.ts'
import type { Evaluated } from './evaluation.ts'
import type { CompiledPolicy } from './instance.ts'

export interface ThreadData {
  readonly compiled: CompiledPolicy
  readonly port: MessagePort
}

export interface Question {
  readonly entrypointId: number
  readonly text: string
  readonly maxBytes: number
}

/** `ready` once, then one `answer` for each question, and what happened on the way before it. */
export type Told =
  | { readonly kind: 'ready'; readonly memoryPages: number }
  | { readonly kind: 'answer'; readonly evaluated: Evaluated; readonly memoryPages: number }
  | { readonly kind: 'threw'; readonly cause: unknown }
  | { readonly kind: 'recycled'; readonly memoryPages: number }

const { compiled, port } = workerData as ThreadData
const tell = (told: Told): void => port.postMessage(told)

const evaluation = await createEvaluation(compiled, {
  events: {
    onThrow: (cause) => tell({ kind: 'threw', cause }),
    onRecycle: (memoryPages) => tell({ kind: 'recycled', memoryPages }),
    onOverBudget: () => undefined,
    onThreadEnd: () => undefined,
  },
  // Who asked keeps the time: it can end this thread.
  budgetMs: Infinity,
  // The thread that stands by has the instance that would.
  standby: false,
})
port.on('message', ({ entrypointId, text, maxBytes }: Question) => {
  const evaluated = evaluation.run(entrypointId, { kind: 'text', text }, maxBytes)
  tell({ kind: 'answer', evaluated, memoryPages: evaluation.memoryPages() })
})
tell({ kind: 'ready', memoryPages: evaluation.memoryPages() })
