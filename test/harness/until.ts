import { setTimeout as pause } from 'node:timers/promises'

const PAUSE_MS = 5

/** Waits for something that has no event of its own; rejects when it does not come true in time. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not so within ${timeoutMs} ms: ${String(condition)}`)
    await pause(PAUSE_MS)
  }
}
