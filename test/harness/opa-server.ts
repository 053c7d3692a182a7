import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { findOpa } from '../../gateway/policy/authoring/opa.ts'
import { freePorts } from './free-ports.ts'
import { temporaryDirectory } from './temporary-directory.ts'

export interface OpaServer extends AsyncDisposable {
  /** Asks for the document at `path` on this input, with these headers. */
  decide(path: string, input: unknown, headers?: Readonly<Record<string, string>>): Promise<unknown>
  /** Ends it as an operator would; it uploads its decision log before. */
  stop(): Promise<void>
}

/** The real `opa run --server` with this configuration and these modules, by file name. */
export async function startOpaServer(
  config: object,
  modules: Readonly<Record<string, string>>,
): Promise<OpaServer> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryDirectory())
  const files = { 'config.json': JSON.stringify(config), ...modules }
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder.path, name), text)
  const [port = 0] = await freePorts(1)
  const flags = ['--addr', `127.0.0.1:${port}`, '--config-file', 'config.json', '--log-level', 'info']
  const opa = spawn(await findOpa(), ['run', '--server', ...flags, ...Object.keys(modules)], {
    cwd: folder.path,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let output = ''
  opa.stderr.setEncoding('utf8').on('data', (text: string) => (output += text))
  const ended = once(opa, 'exit')
  stack.defer(async () => {
    opa.kill('SIGKILL')
    await ended
  })
  const origin = `http://127.0.0.1:${port}`
  while (!(await fetch(`${origin}/health`).then(isOk, () => false))) {
    if (opa.exitCode !== null) throw new Error(`opa ended:\n${output}`)
    await pause(10)
  }
  const owned = stack.move()
  return {
    async decide(path, input, headers = {}) {
      const response = await fetch(`${origin}/v1/data/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ input }),
      })
      return response.json()
    },
    async stop() {
      opa.kill('SIGTERM')
      await ended
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function isOk({ ok }: Response): boolean {
  return ok
}
