import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { OPA_VERSION } from '../../gateway/policy/authoring/opa.ts'

interface ReleaseFile {
  readonly file: string
  /** Hex, as published beside the file. */
  readonly sha256: string
}

/** Files of release 1.20.2 by platform and processor as Node names them. */
export const OPA_RELEASE_FILES: ReadonlyMap<string, ReleaseFile> = new Map([
  [
    'linux x64',
    {
      file: 'opa_linux_amd64_static',
      sha256: '69da5179ee403d10fa11bab6cfb4ffb0d23dba5f9b682fa977db772a1da5670f',
    },
  ],
  [
    'linux arm64',
    {
      file: 'opa_linux_arm64_static',
      sha256: '431bed5a365578241ab06c7cc1c7d0cdff8c11dcbc6f12c3488590deb8b8d66d',
    },
  ],
  [
    'darwin arm64',
    {
      file: 'opa_darwin_arm64',
      sha256: '54e7008e696d39e8e4f96594e2b71bcbe45fd9a4f838102bcf1240638bf3fbe1',
    },
  ],
])

const RELEASES = 'https://github.com/open-policy-agent/opa/releases/download'
const TIMEOUT_MS = 300_000

/**
 * Puts the pinned release of `opa` into a folder, for machines without Go.
 * @throws Error when there is none for this machine, it cannot be had, or it is not the file that was published;
 *   nothing is left in the folder then
 */
export async function downloadOpa(
  directory: string,
  {
    release = OPA_RELEASE_FILES.get(`${process.platform} ${process.arch}`),
    from = RELEASES,
  }: { readonly release?: ReleaseFile | undefined; readonly from?: string } = {},
): Promise<void> {
  if (release === undefined) throw new Error(`no release for ${process.platform} ${process.arch} is pinned`)
  const url = `${from}/v${OPA_VERSION}/${release.file}`
  const reply = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })
  if (!reply.ok) throw new Error(`${url} answered ${reply.status}`)
  const bytes = Buffer.from(await reply.arrayBuffer())
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  if (sha256 !== release.sha256) throw new Error(`${url} is not what was published: its SHA-256 is ${sha256}`)
  mkdirSync(directory, { recursive: true })
  const draft = join(directory, `opa.${process.pid}`)
  writeFileSync(draft, bytes)
  chmodSync(draft, 0o755)
  // Whole or not there: a run that is stopped in between leaves no half of a program.
  renameSync(draft, join(directory, 'opa'))
}
