import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** Far more than any step takes: a bench that hangs has to end. */
const LONGEST_ANSWER_MS = 60_000

/** A bench process beside this one, spoken to in messages; gone when disposed. */
export interface Child extends AsyncDisposable {
  readonly pid: number
  /** The next message, once `message` was sent, or without sending any; rejects when the process ends instead. */
  ask(message?: object): Promise<unknown>
}

export function startChild(file: string, args: readonly string[] = []): Child {
  // Samples come as typed arrays, which JSON would turn into objects.
  const child = fork(join(import.meta.dirname, file), args, { serialization: 'advanced' })
  const ended = once(child, 'exit')
  const reap = (): void => void child.kill('SIGKILL')
  process.once('exit', reap)
  return {
    pid: child.pid ?? 0,
    async ask(message) {
      const answer = once(child, 'message')
      if (message !== undefined) child.send(message)
      const gone = Promise.race([ended, pause(LONGEST_ANSWER_MS, undefined, { ref: false })])
      const first = await Promise.race([answer, gone.then(() => undefined)])
      if (first === undefined) throw new Error(`${file} did not answer`)
      return first[0] as unknown
    },
    async [Symbol.asyncDispose]() {
      process.removeListener('exit', reap)
      child.kill('SIGKILL')
      await ended
    },
  }
}
