import { existsSync, readFileSync, statSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { verifyAudit, type AuditReport } from '../../audit/verify/verify-audit.ts'
import { type Command, type Surroundings, UsageError } from '../command.ts'
import { keysIn, witnessPolicy } from './keys-in.ts'

const USAGE = `toolgate audit verify DIRECTORY [--key KEY]... [--checkpoint FILE]... [--witness KEY]... [--quorum N]
                                [--complete] [--json]

Checks every log under an audit directory, without network and without a running gateway: the frames of the
write-ahead log, every entry against its bundle, every tile, the root, the signature of the checkpoint, what the fleet
log has of each log, how logs begin and end, and whether each decision has its outcome. What is wrong is named by file
and first bad byte. Nothing is written.

  --key KEY          a verifier key as \`toolgate audit key\` prints it, or a file with one a line. Without it the keys
                     that the directory lists are believed, and whoever can write there can list their own. A key that
                     it handed over to (\`toolgate audit rotate-key\`) is believed, too.
  --checkpoint FILE  a checkpoint kept elsewhere: the log must hold what it held then. That finds a directory that was
                     rolled back as a whole.
  --witness KEY      verifier key of a witness, or a file with one a line: every fleet log must have a checkpoint that
                     they cosigned, and hold what it held then
  --quorum N         how many of them are enough; all without it
  --complete         every log must have ended: sealed, or recovered by a later start. For a directory at rest.

Exit code 0 when all is as signed, 1 when something was changed or is missing, 2 for wrong usage.
`

export const verify: Command = {
  summary: 'check every audit log against what was signed, offline',
  usage: USAGE,
  async run(args, surroundings) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        key: { type: 'string', multiple: true, default: [] },
        checkpoint: { type: 'string', multiple: true, default: [] },
        witness: { type: 'string', multiple: true, default: [] },
        quorum: { type: 'string' },
        complete: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    })
    const [directory, ...more] = positionals
    if (directory === undefined || more.length > 0) throw new UsageError('which audit directory?')
    if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory())
      throw new UsageError(`not a directory: ${directory}`)
    const cosigned = witnessPolicy(values.witness, values.quorum)
    const report = await verifyAudit({
      directory,
      ...(cosigned && { cosigned }),
      ...(values.key.length > 0 && { keys: values.key.flatMap(keysIn) }),
      kept: new Map(values.checkpoint.map((file) => [file, read(file)])),
      complete: values.complete,
    })
    if (values.json) surroundings.print(`${JSON.stringify(toJson(report), undefined, 2)}\n`)
    else describe(report, surroundings)
    return report.problems.length === 0 ? 0 : 1
  },
}

function read(file: string): string {
  if (!existsSync(file)) throw new UsageError(`no such file: ${file}`)
  return readFileSync(file, 'utf8')
}

function toJson({ problems, logs, inDoubt, keysFromDirectory }: AuditReport): object {
  return {
    ok: problems.length === 0,
    problems,
    in_doubt: inDoubt,
    logs,
    keys_from_directory: keysFromDirectory,
  }
}

function describe(report: AuditReport, { print, complain }: Surroundings): void {
  const { problems, logs, inDoubt, keysFromDirectory } = report
  for (const { node, epoch, entries, signed, sealed, recovered, tornBytes } of logs) {
    const torn = tornBytes === 0 ? '' : `, ${String(tornBytes)} bytes torn off`
    const end = sealed ? 'sealed' : recovered ? 'recovered' : 'open'
    print(`${node}/${epoch}: ${String(entries)} entries, ${String(signed)} signed, ${end}${torn}\n`)
  }
  for (const { call, node, epoch } of inDoubt) print(`in doubt: call ${call} of ${node}/${epoch}\n`)
  for (const { file, offset, code, detail } of problems) {
    print(`${code}: ${file} at byte ${String(offset)}: ${detail}\n`)
  }
  const entries = logs.reduce((sum, log) => sum + log.entries, 0)
  const verdict = problems.length === 0 ? 'all as signed' : `${String(problems.length)} found wrong`
  print(`${String(logs.length)} logs, ${String(entries)} entries: ${verdict}\n`)
  if (keysFromDirectory)
    complain('the keys are those that the directory lists; --key checks against keys that you trust\n')
}
