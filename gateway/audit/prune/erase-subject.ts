import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { findDisclosureKeys, KEYS_FOLDER } from '../disclosures/disclosure-keys.ts'
import { hasCode, syncDirectory } from '../log-disk.ts'

/**
 * Forgets what has been kept of calls for one person or service, wherever copies of the encrypted files are, by
 * deleting the key of it. False when there was none. A gateway that runs makes another one within a minute, for what
 * comes after.
 *
 * @throws when the master key is not there: the key could not be found then, and nothing would be forgotten
 */
export async function eraseSubject(
  { directory, keyFile }: { readonly directory: string; readonly keyFile: string },
  tenant: string,
  principal: string,
): Promise<boolean> {
  const keys = await findDisclosureKeys(directory, keyFile)
  if (keys === undefined) throw new Error(`there is no key ${keyFile}`)
  const folder = join(directory, KEYS_FOLDER)
  try {
    await unlink(join(folder, `subject-${keys.subjectOf(tenant, principal)}.key`))
  } catch (cause) {
    if (hasCode(cause, 'ENOENT')) return false
    throw cause
  }
  await syncDirectory(folder)
  return true
}
