import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { downloadOpa, OPA_RELEASE_FILES } from '../../harness/release-opa.ts'
import { temporaryDirectory } from '../../harness/temporary-directory.ts'

const PROGRAM = Buffer.from('#!/bin/sh\necho "Version: 1.20.2"\n')
const release = { file: 'opa_test', sha256: createHash('sha256').update(PROGRAM).digest('hex') }

/** A place of releases that answers one path with these bytes. */
async function serveRelease(bytes: Buffer) {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/v1.20.2/opa_test' ? 200 : 404).end(bytes)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    from: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

describe('the release of opa', () => {
  it('is put in its place, ready to run, when it is the file that was published', async () => {
    await using folder = await temporaryDirectory()
    await using releases = await serveRelease(PROGRAM)
    await downloadOpa(folder.path, { release, from: releases.from })
    const path = join(folder.path, 'opa')
    expect(readFileSync(path)).toEqual(PROGRAM)
    expect(statSync(path).mode & 0o777).toBe(0o755)
    expect(readdirSync(folder.path)).toEqual(['opa'])
  })

  it('is refused, and leaves nothing, when one byte of it is another', async () => {
    await using folder = await temporaryDirectory()
    await using releases = await serveRelease(Buffer.concat([PROGRAM, Buffer.from('\n')]))
    await expect(downloadOpa(folder.path, { release, from: releases.from })).rejects.toThrow(
      /is not what was published/,
    )
    expect(readdirSync(folder.path)).toEqual([])
  })

  it('is missed by name where there is none', async () => {
    await using folder = await temporaryDirectory()
    await using releases = await serveRelease(PROGRAM)
    const other = { ...release, file: 'opa_other' }
    await expect(downloadOpa(folder.path, { release: other, from: releases.from })).rejects.toThrow(
      /opa_other answered 404/,
    )
    expect(readdirSync(folder.path)).toEqual([])
  })

  it('is pinned by whole digests, one for each machine', () => {
    const digests = [...OPA_RELEASE_FILES.values()].map(({ sha256 }) => sha256)
    expect(digests.every((digest) => /^[0-9a-f]{64}$/.test(digest))).toBe(true)
    expect(new Set(digests).size).toBe(digests.length)
  })
})
