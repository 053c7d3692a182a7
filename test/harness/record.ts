import { dirname, join } from 'node:path'
import { openRecord, type OpenRecord } from '../../gateway/cli/audit/record-places.ts'
import type { TestGateway } from './gateway.ts'

/** The record of a running gateway, opened as the commands open it. */
export function openRecordOf({ auditDirectory }: Pick<TestGateway, 'auditDirectory'>): Promise<OpenRecord> {
  const folder = dirname(auditDirectory)
  return openRecord({
    audit: auditDirectory,
    disclosures: join(folder, 'disclosures'),
    keyFile: join(folder, 'disclosures.key'),
    index: undefined,
  })
}
