import type { Config } from '../config/config.ts'
import { fingerprintOf, watchFile } from '../lib/watch-file.ts'

/** A file, and what it was before it was read. */
export interface SeenFile {
  readonly path: string
  readonly seen: string
}

export function seenNow(path: string): SeenFile {
  return { path, seen: fingerprintOf(path) }
}

/**
 * The files whose change is a change of the configuration: its own, and those of the listeners' TLS. Certificates and
 * revocation lists are renewed by other programs, which know no signal to send; until its list is read again, a
 * gateway goes on serving a client whose certificate was revoked. Call it before anything reads them.
 */
export function filesToFollow(configFile: SeenFile, { listen }: Config): readonly SeenFile[] {
  const paths = [listen.tls, listen.admin.tls].flatMap((tls) => [
    tls?.certificateFile,
    tls?.keyFile,
    tls?.clientCaFile,
    tls?.crlFile,
  ])
  return [configFile, ...paths.flatMap((path) => (path === undefined ? [] : seenNow(path)))]
}

/** Calls back after a change of any of them. */
export function followFiles(files: readonly SeenFile[], onChange: () => void): Disposable {
  const stack = new DisposableStack()
  for (const { path, seen } of files) stack.use(watchFile(path, onChange, { seen }))
  return stack
}
