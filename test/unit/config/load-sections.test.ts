import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loadSections } from '../../../gateway/config/load-sections.ts'
import { loadConfig } from '../../../gateway/config/load.ts'
import { REPOSITORY } from '../../harness/compose-file.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../../harness/temporary-directory.ts'

/** As it runs elsewhere: nothing of what it names is here. */
const ELSEWHERE = {
  identity: {
    issuers: [
      { issuer: 'https://issuer.example', audiences: ['a'], jwks: { uri: 'https://issuer.example/k' } },
    ],
  },
  policy: { bundle: '/srv/rules.tar.gz', timeZone: 'Asia/Tokyo' },
  audit: { directory: '/srv/toolgate/audit' },
  connectors: { github: { credential: { type: 'bearer', token: 'env:TOKEN_OF_PRODUCTION' } } },
}

let folder: TemporaryDirectory
beforeAll(async () => {
  folder = await temporaryDirectory()
})
afterAll(() => folder[Symbol.asyncDispose]())

async function written(config: object): Promise<string> {
  const path = join(folder.path, 'toolgate.yaml')
  await writeFile(path, JSON.stringify(config))
  return path
}

it('sections are read where the secrets and files that a gateway needs are not', async () => {
  const path = await written(ELSEWHERE)
  expect(() => loadConfig(path, { environment: {} })).toThrow('TOKEN_OF_PRODUCTION')
  const { policy, audit } = loadSections(path, ['policy', 'audit'], { environment: {} })
  expect([policy.timeZone, audit.directory]).toEqual(['Asia/Tokyo', '/srv/toolgate/audit'])
})

it('a mistake in a section that is asked for is told, and none in another', async () => {
  const path = await written({ ...ELSEWHERE, policy: { timeZone: 'Nowhere' }, limits: 7 })
  expect(() => loadSections(path, ['policy'], { environment: {} })).toThrow(
    expect.objectContaining({ problems: [expect.objectContaining({ path: 'policy.timeZone' })] }),
  )
  expect(loadSections(path, ['audit'], { environment: {} }).audit.directory).toBe('/srv/toolgate/audit')
})

it('disclosures lie beside the record, wherever that is, unless they have a place of their own', async () => {
  const path = await written(ELSEWHERE)
  expect(loadSections(path, ['audit'], { environment: {} }).audit.disclosures).toMatchObject({
    directory: '/srv/toolgate/disclosures',
    keyFile: '/srv/toolgate/disclosures.key',
  })
  const keyFile = '/run/secrets/disclosures'
  const apart = await written({ ...ELSEWHERE, audit: { ...ELSEWHERE.audit, disclosures: { keyFile } } })
  expect(loadSections(apart, ['audit'], { environment: {} }).audit.disclosures).toMatchObject({
    directory: '/srv/toolgate/disclosures',
    keyFile,
  })
})

it('what `npm start` discloses lies where `toolgate policy explain` and `audit show` look by themselves', () => {
  const { audit } = loadSections(join(REPOSITORY, 'deploy/dev/toolgate.yaml'), ['audit'], { environment: {} })
  expect([audit.directory, audit.disclosures.directory, audit.disclosures.keyFile]).toEqual(
    ['audit', 'disclosures', 'disclosures.key'].map((name) => join(REPOSITORY, '.toolgate', name)),
  )
})
