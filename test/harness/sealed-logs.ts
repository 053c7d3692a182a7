import { join } from 'node:path'
import { FLEET_NODE, listEpochs, listSegments } from '../../gateway/audit/read-entries.ts'
import { readSegment } from '../../gateway/audit/read-segment.ts'
import { segmentName } from '../../gateway/audit/segment-file.ts'

/** Whether each process life under an audit directory sealed its log, oldest first. */
export async function sealedLogs(auditDirectory: string): Promise<boolean[]> {
  const sealed: boolean[] = []
  for (const { node, directory } of await listEpochs(auditDirectory)) {
    if (node === FLEET_NODE) continue
    const last = (await listSegments(directory)).at(-1) ?? 0
    sealed.push((await readSegment(join(directory, segmentName(last)))).sealed)
  }
  return sealed
}
