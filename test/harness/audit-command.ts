import { audit } from '../../gateway/cli/audit/audit.ts'
import { runHere, type Ran } from './run-here.ts'

/** Runs `toolgate audit …` in this process. */
export function runAudit(args: readonly string[]): Promise<Ran> {
  return runHere(audit, args)
}

/** Runs it with `--json` and reads the object on each line that it printed. */
export async function runAuditJson(args: readonly string[]): Promise<Record<string, unknown>[]> {
  const { exitCode, printed, complained } = await runAudit([...args, '--json'])
  if (exitCode !== 0) throw new Error(complained)
  return printed
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}
