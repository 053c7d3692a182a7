import { startIssuer } from '../../harness/issuer.ts'
import { createPki } from '../../harness/pki.ts'
import { temporaryDirectory } from '../../harness/temporary-directory.ts'
import { startChild } from '../child.ts'
import { startNginxUpstream } from './nginx.ts'
import type { World } from './row.ts'

/** The surroundings of all rows, gone when disposed. */
export async function createWorld({
  profileDirectory,
}: { readonly profileDirectory?: string | undefined } = {}): Promise<
  World & { readonly upstreamName: string } & AsyncDisposable
> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryDirectory())
  const issuer = stack.use(await startIssuer())
  const pki = stack.use(createPki())
  const upstream = stack.use(await startUpstream(folder.path))
  const owned = stack.move()
  return {
    upstreamPort: upstream.port,
    upstreamName: upstream.name,
    issuer,
    pki,
    folder: folder.path,
    profileDirectory,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** nginx where there is one, as it takes least of the two cores; one on node:http otherwise. */
async function startUpstream(
  folder: string,
): Promise<AsyncDisposable & { readonly port: number; readonly name: string }> {
  const upstream = await startNginxUpstream(folder).catch(() => undefined)
  if (upstream !== undefined) return { ...upstream, name: 'nginx' }
  const child = startChild('compare/node-proxy-process.ts', ['upstream'])
  return { ...child, port: (await child.ask()) as number, name: 'node:http' }
}
