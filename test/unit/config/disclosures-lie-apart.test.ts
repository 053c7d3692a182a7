import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { AuditConfig } from '../../../gateway/config/audit-config.ts'
import { recording } from '../../../gateway/config/places.ts'
import { parseConfig } from '../../../gateway/config/load.ts'
import { auditConfig } from '../../harness/audit-config.ts'
import { temporaryDirectory } from '../../harness/temporary-directory.ts'

const SETTINGS = {
  identity: {
    issuers: [
      { issuer: 'https://issuer.example', audiences: ['a'], jwks: { uri: 'https://issuer.example/k' } },
    ],
  },
  connectors: { github: { credential: { type: 'none' } } },
}

it.each([
  ['apart', 'audit', 'disclosures', 'disclosures.key', []],
  ['in one folder, beside each other', 'a/audit', 'a/disclosures', 'a/disclosures.key', []],
  ['in names that only begin alike', 'audit', 'audit-disclosures', 'audit-disclosures.key', []],
  ['in the same folder', 'audit', 'audit', 'disclosures.key', ['audit.disclosures.directory']],
  ['in the record', 'audit', 'audit/disclosures', 'disclosures.key', ['audit.disclosures.directory']],
  ['around the record', 'a/audit', 'a', 'disclosures.key', ['audit.disclosures.directory']],
  ['with their key', 'audit', 'disclosures', 'disclosures/the.key', ['audit.disclosures.keyFile']],
  ['with a folder for a key', 'audit', 'disclosures', 'folder', ['audit.disclosures.keyFile']],
  ['below a file', 'audit', 'file/disclosures', 'disclosures.key', ['audit.disclosures.directory']],
])('disclosures %s', async (_, audit, disclosures, key, expected) => {
  await using folder = await temporaryDirectory()
  await mkdir(join(folder.path, 'folder'))
  await writeFile(join(folder.path, 'file'), '')
  const config = parseConfig(JSON.stringify(SETTINGS), { environment: {}, folder: folder.path })
  const problems = (enabled: boolean): string[] => {
    const places: AuditConfig = auditConfig(join(folder.path, audit), {
      disclosures: {
        enabled,
        directory: join(folder.path, disclosures),
        keyFile: join(folder.path, key),
        retentionDays: 1,
      },
    })
    return recording({ ...config, audit: places }).map(({ path }) => path)
  }
  expect(problems(true)).toEqual(expected)
  expect(problems(false)).toEqual([])
})
