import { readFile } from 'node:fs/promises'
import type { DetectionEntry } from '../../gateway/audit/change-entry.ts'
import { runAudit } from '../harness/audit-command.ts'
import type { Scene } from './detections-scene.ts'

/** What is looked at of a Detection Finding, class 2004 of OCSF. */
interface Finding {
  readonly class_uid: number
  readonly finding_info: { readonly uid: string }
}

/** Lines that the command prints for an export of everything on record, or of what `args` ask for. */
export async function exported({ toolgate }: Scene, ...args: string[]): Promise<string[]> {
  const { exitCode, printed, complained } = await runAudit([
    'export',
    ...args,
    '--audit',
    toolgate.auditDirectory,
  ])
  if (exitCode !== 0) throw new Error(complained)
  return printed.split(/\r?\n/).filter(Boolean)
}

export function webhookLines({ webhook }: Scene): string[] {
  return webhook.requests.flatMap(({ body }) => body.toString().split('\n')).filter(Boolean)
}

export function syslogLines({ syslog }: Scene): string[] {
  return syslog.messages.map((message) => message.slice(message.indexOf('{')))
}

export async function fileLines({ exportFile }: Scene): Promise<string[]> {
  return (await readFile(exportFile, 'utf8')).split('\n').filter(Boolean)
}

/** Of lines of OCSF, those that are findings. */
export function findingsIn(lines: readonly string[]): Finding[] {
  return lines.map((line) => JSON.parse(line) as Finding).filter(({ class_uid: uid }) => uid === 2004)
}

/** Ids of the detections in lines of either format. */
export function idsIn(lines: readonly string[]): string[] {
  return lines
    .map((line) => JSON.parse(line) as Partial<Finding> & { readonly entry?: DetectionEntry })
    .flatMap(({ finding_info: finding, entry }) =>
      finding !== undefined ? [finding.uid] : entry?.type === 'detection' ? [entry.id] : [],
    )
    .sort()
}
