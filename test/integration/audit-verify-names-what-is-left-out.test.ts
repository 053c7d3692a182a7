import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { beginEpoch } from '../../gateway/audit/begin-epoch.ts'
import { type AuditEntry, encodeEntry } from '../../gateway/audit/entry.ts'
import { openAudit } from '../../gateway/audit/open-audit.ts'
import { openSigning } from '../../gateway/audit/open-signing.ts'
import { type EpochPath, listEpochs } from '../../gateway/audit/read-entries.ts'
import { RECOVERED_FILE } from '../../gateway/audit/recover.ts'
import { verifyAudit } from '../../gateway/audit/verify/verify-audit.ts'
import { formatVerifierKey } from '../../gateway/audit/tlog/verifier-key.ts'
import { auditConfig } from '../harness/audit-config.ts'
import { syntheticSealed } from '../harness/synthetic-call.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

const TIME = '2026-11-26T09:00:00.000Z'
const OPEN_CALL = 'never-ended'
const STOP: AuditEntry = { open_calls: 0, time: TIME, type: 'stop', v: 1 }

/** A log in which one call was left open. */
type Before = Pick<EpochPath, 'epoch' | 'node'>

/** What verify finds of a log of these entries, and of nothing else wrong in it: the key of the deployment signed it. */
async function problemsOf(entriesAfterStart: (before: Before) => readonly AuditEntry[]): Promise<unknown[]> {
  await using folder = await temporaryDirectory()
  const config = auditConfig(folder.path)
  {
    await using audit = await openAudit({ config, node: 'worker-0', version: '1' })
    await audit.recorder.intend(syntheticSealed({ callId: OPEN_CALL, access: 'write' }))
  }
  const [before] = await listEpochs(config.directory)
  if (before === undefined) throw new Error('no log')
  await writeFile(join(before.directory, RECOVERED_FILE), '')
  const signing = await openSigning(config)
  const log = await beginEpoch({ config, node: 'worker-1', signing })
  const key = formatVerifierKey(signing.signer.key)
  const start = {
    epoch: log.epoch,
    gateway: '1',
    key,
    node: 'worker-1',
    time: TIME,
    type: 'start',
    v: 1,
  } as const
  for (const entry of [start, ...entriesAfterStart({ epoch: before.epoch, node: before.node })])
    await log.append(encodeEntry(entry), 'strict')
  await log.seal()
  const { problems } = await verifyAudit({ directory: config.directory })
  return problems.map(({ code, file }) => `${code} ${file.split('/')[0] ?? ''}`)
}

function recoveryOf(before: Before, sealed = true): AuditEntry {
  return { ...before, in_doubt: 1, sealed, time: TIME, torn_bytes: 0, type: 'recovery', v: 1 }
}

function endOf({ epoch }: Before): AuditEntry {
  return { call: OPEN_CALL, epoch, outcome: 'unknown', status: 0, time: TIME, type: 'outcome', v: 1 }
}

it.each<[string, (before: Before) => readonly AuditEntry[], string[]]>([
  ['a start that puts everything in order', (before) => [recoveryOf(before), endOf(before), STOP], []],
  ['a seal without a last word', (before) => [recoveryOf(before), endOf(before)], ['order.stop worker-1']],
  ['something after it', (before) => [STOP, recoveryOf(before), endOf(before)], ['order.stop worker-1']],
  [
    'a call that was open and gets no end',
    (before) => [recoveryOf(before), STOP],
    ['outcome.missing worker-0'],
  ],
  [
    'a log said to have been cut off that was sealed',
    (before) => [recoveryOf(before, false), endOf(before), STOP],
    ['order.seal worker-0'],
  ],
  ['a recovery that nobody put on record', () => [STOP], ['recovery.missing worker-0']],
])('%s is named, although the key of the deployment signs it', async (_, entries, named) => {
  expect(await problemsOf(entries)).toEqual(named)
})
