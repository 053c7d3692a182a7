import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { configProblems } from '../../gateway/check-config.ts'
import { parseConfig } from '../../gateway/config/load.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

async function problemsWith(more: {
  readonly github?: Readonly<Record<string, unknown>>
  readonly identity?: Readonly<Record<string, unknown>>
}): Promise<string[]> {
  await using directory = await temporaryDirectory()
  await writeFile(join(directory.path, 'no-certificate.pem'), 'nothing of the kind')
  const environment = { SHORT: 'short', LONG: 'long enough to be the key of a fleet' }
  const settings = {
    identity: {
      issuers: [{ issuer: 'https://as.test', audiences: ['a'], jwks: { uri: 'https://as.test/jwks' } }],
      ...more.identity,
    },
    connectors: { github: { credential: { type: 'none' }, ...more.github } },
  }
  const config = parseConfig(JSON.stringify(settings), { environment, folder: directory.path })
  return (await configProblems(config, environment)).map(({ path }) => path)
}

it('a configuration whose files and secrets can be used has no problems', async () => {
  expect(await problemsWith({})).toEqual([])
  expect(await problemsWith({ identity: { dpop: { nonce: 'required', nonceSecret: 'env:LONG' } } })).toEqual(
    [],
  )
})

it('an upstream authority that is no certificate is found before the start, with its path', async () => {
  expect(await problemsWith({ github: { caFile: 'no-certificate.pem' } })).toEqual([
    'connectors.github.caFile',
  ])
})

it('a nonce key that could be guessed is found before the start, with its path', async () => {
  expect(await problemsWith({ identity: { dpop: { nonce: 'required', nonceSecret: 'env:SHORT' } } })).toEqual(
    ['identity.dpop.nonceSecret'],
  )
})
