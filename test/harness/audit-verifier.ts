import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { TOOLS_DIRECTORY } from '../../gateway/policy/authoring/pinned-tool.ts'

const run = promisify(execFile)
const SOURCE = resolve(import.meta.dirname, '../conformance/audit-verifier')

export interface AuditVerifier {
  /** What it prints of a log, `ok ORIGIN SIZE` or what is wrong; `old` are files of earlier checkpoints. */
  verify(log: string, key: string, old?: readonly string[]): Promise<string>
}

/** Builds the verifier in Go, whose modules are pinned beside it; a build that is up to date takes a moment. */
export async function buildAuditVerifier(): Promise<AuditVerifier> {
  mkdirSync(TOOLS_DIRECTORY, { recursive: true })
  const program = join(TOOLS_DIRECTORY, 'audit-verifier')
  await run('go', ['build', '-mod=readonly', '-o', program, '.'], { cwd: SOURCE })
  return {
    async verify(log, key, old = []) {
      const args = ['-key', key, ...old.flatMap((file) => ['-old', file]), log]
      try {
        return (await run(program, args)).stdout.trim()
      } catch (cause) {
        const { code, stdout = '' } = cause as { code?: unknown; stdout?: string }
        if (code !== 1) throw cause
        return stdout.trim()
      }
    },
  }
}
