#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { constants } from 'node:os'
import { join } from 'node:path'
import type { Surroundings } from './cli/command.ts'
import { runToolgate } from './cli/toolgate.ts'

// A third of a start goes into stripping types and compiling. Kept beside the packages, which are as trusted: whoever
// may write there may change the program. Where nobody may, as in an image, every start compiles anew.
enableCompileCache(join(import.meta.dirname, '../node_modules/.cache/toolgate/compiled'))

function surroundingsOf(self: NodeJS.Process): Surroundings {
  // Whoever reads the output may stop reading, as `head` does; that ends nothing here.
  self.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
  const requested = Promise.withResolvers<string>()
  const again = new AbortController()
  let stops = 0
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    self.on(signal, () => {
      stops += 1
      if (stops === 1) requested.resolve(signal)
      else if (stops === 2) again.abort()
      // Whoever asks a third time has waited for something that does not end, such as a start on a hung disk.
      else self.exit(128 + constants.signals[signal])
    })
  }
  return {
    environment: self.env,
    print: (text) => void self.stdout.write(text),
    complain: (text) => void self.stderr.write(text),
    stop: { requested: requested.promise, again: again.signal },
    onReload: (callback) => void self.on('SIGHUP', callback),
    isTerminal: self.stdout.isTTY,
    ask: (question) => askAtTerminal(self, question),
  }
}

/** Ctrl-C and the end of the input are no answer. */
async function askAtTerminal(
  { stdin, stdout }: NodeJS.Process,
  question: string,
): Promise<string | undefined> {
  if (!stdin.isTTY || !stdout.isTTY) return undefined
  const { createInterface } = await import('node:readline')
  using terminal = createInterface({ input: stdin, output: stdout })
  return await new Promise((resolve) => {
    terminal.on('SIGINT', () => resolve('')).on('close', () => resolve(''))
    terminal.question(question, resolve)
  })
}

process.exitCode = await runToolgate(process.argv.slice(2), surroundingsOf(process))
