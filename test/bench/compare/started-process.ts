import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { runProcess } from '../../harness/toolgate-process.ts'
import type { ToolgateProcess } from '../../harness/toolgate-process.ts'

const LONGEST_START_MS = 30_000

/** A server in the foreground, once it takes connections on the port; gone, with what it started, when disposed. */
export async function startServer(
  command: readonly string[],
  port: number,
  options: { readonly environment?: Readonly<Record<string, string>>; readonly cwd?: string } = {},
): Promise<ToolgateProcess & { readonly pid: number }> {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(runProcess(command, { ...options, isGroup: true }))
  // A bench that is stopped leaves no server behind.
  const reap = (): void => server.signal('SIGKILL')
  process.once('exit', reap)
  stack.defer(() => void process.removeListener('exit', reap))
  let isOver = false
  void server.ended.then(() => (isOver = true))
  const latestMs = performance.now() + LONGEST_START_MS
  while (!(await accepts(port))) {
    if (isOver || performance.now() > latestMs) {
      throw new Error(`${command.join(' ')} does not listen on ${String(port)}:\n${server.output()}`)
    }
    await pause(25)
  }
  const owned = stack.move()
  return { ...server, pid: server.child.pid ?? 0, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
