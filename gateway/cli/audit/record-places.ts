import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DisclosureReader } from '../../audit/disclosures/disclosure-reader.ts'
import { openAuditIndex, type AuditIndex } from '../../audit/index/audit-index.ts'
import { loadSections } from '../../config/load-sections.ts'
import type { Surroundings } from '../command.ts'

/** Options that say where a record is; `parseArgs` takes them as they are. */
export const RECORD_OPTIONS = {
  config: { type: 'string' },
  audit: { type: 'string' },
  disclosures: { type: 'string' },
  'disclosures-key': { type: 'string' },
  index: { type: 'string' },
} as const

/** For the usage of every command that takes {@link RECORD_OPTIONS}. */
export const RECORD_USAGE = `  --config FILE             toolgate.yaml, to find the places below in
  --audit FOLDER            the record (.toolgate/audit)
  --disclosures FOLDER      what it only commits to (disclosures, beside the record)
  --disclosures-key FILE    the key to that (disclosures.key, beside the record)
  --index FILE              the index (index.sqlite in the record), made and brought up to date as needed
`

export interface RecordValues {
  readonly config?: string | undefined
  readonly audit?: string | undefined
  readonly disclosures?: string | undefined
  readonly 'disclosures-key'?: string | undefined
  readonly index?: string | undefined
}

export interface RecordPlaces {
  readonly audit: string
  readonly disclosures: string
  readonly keyFile: string
  readonly index: string | undefined
}

/** Where things are: as said, else as the configuration says, else where a gateway puts them by itself. */
export function recordPlaces(
  values: RecordValues,
  { environment }: Pick<Surroundings, 'environment'>,
): RecordPlaces {
  const configured =
    values.config === undefined ? undefined : loadSections(values.config, ['audit'], { environment }).audit
  const audit = values.audit ?? configured?.directory ?? '.toolgate/audit'
  // A record that was copied elsewhere has its disclosures beside it, whatever the configuration says of the original.
  const { directory, keyFile } = (values.audit === undefined ? configured?.disclosures : undefined) ?? {
    directory: join(audit, '../disclosures'),
    keyFile: join(audit, '../disclosures.key'),
  }
  return {
    audit,
    disclosures: values.disclosures ?? directory,
    keyFile: values['disclosures-key'] ?? keyFile,
    index: values.index,
  }
}

/** @throws Error that says how to name a folder, when there is none */
export async function demandRecord(directory: string): Promise<void> {
  const found = await stat(directory).catch(() => undefined)
  if (found?.isDirectory() !== true)
    throw new Error(`there is no record in ${directory}: name its folder with --audit`)
}

/** A record to look things up in. */
export interface OpenRecord extends Disposable {
  readonly places: RecordPlaces
  readonly index: AuditIndex
  readonly disclosures: DisclosureReader
}

/** @throws Error where there is no record */
export async function openRecord(places: RecordPlaces): Promise<OpenRecord> {
  await demandRecord(places.audit)
  const index = await openAuditIndex({
    auditDirectory: places.audit,
    disclosuresDirectory: places.disclosures,
    path: places.index,
  })
  try {
    const disclosures = await DisclosureReader.open(index, places.disclosures, places.keyFile)
    return { places, index, disclosures, [Symbol.dispose]: () => index[Symbol.dispose]() }
  } catch (cause) {
    index[Symbol.dispose]()
    throw cause
  }
}
