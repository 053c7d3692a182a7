import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ConfigFolder, configFolder, MINIMAL } from './minimal-config.ts'

let place: ConfigFolder
let problemsOf: ConfigFolder['problemsOf']
beforeAll(() => {
  place = configFolder()
  ;({ problemsOf } = place)
})
afterAll(() => place[Symbol.dispose]())

describe('mistakes', () => {
  const base = MINIMAL.replace(/policy:.*\n/, '')

  it.each([
    [
      'hours that end before they begin',
      'policy: { bundle: bundle.tar.gz, businessHours: { fromHour: 18, toHour: 8 } }',
      'policy.businessHours',
    ],
    ['a file that is not there', 'policy: { bundle: nowhere.tar.gz }', 'policy.bundle'],
    [
      'a bundle service over plain http',
      'policy: { bundle: bundle.tar.gz, service: { url: http://bundles.example, resource: b } }',
      'policy.service.url',
    ],
    [
      'a bundle service whose polls end before they begin',
      'policy: { bundle: bundle.tar.gz, service: { url: https://bundles.example, resource: b, pollMinMs: 9000, pollMaxMs: 8000 } }',
      'policy.service.pollMinMs',
    ],
    [
      'a certificate for the bundle service without its key',
      'policy: { bundle: bundle.tar.gz, service: { url: https://bundles.example, resource: b, clientCertificateFile: bundle.tar.gz } }',
      'policy.service.clientKeyFile',
    ],
    [
      'a bundle above its service',
      'policy: { bundle: bundle.tar.gz, service: { url: https://bundles.example, resource: ../b } }',
      'policy.service.resource',
    ],
    [
      'a token for the bundle service that is not set',
      'policy: { bundle: bundle.tar.gz, service: { url: https://bundles.example, resource: b, token: env:NOWHERE } }',
      'policy.service.token',
    ],
    [
      'a key for bundles that is not there',
      'policy: { bundle: bundle.tar.gz, verification: { keyFile: nowhere.pem, algorithm: ES256 } }',
      'policy.verification.keyFile',
    ],
    [
      'a key for bundles without its algorithm',
      'policy: { bundle: bundle.tar.gz, verification: { keyFile: bundle.tar.gz } }',
      'policy.verification.algorithm',
    ],
    [
      'an algorithm with a shared secret for bundles',
      'policy: { bundle: bundle.tar.gz, verification: { keyFile: bundle.tar.gz, algorithm: HS256 } }',
      'policy.verification.algorithm',
    ],
    [
      'a bundle of data from nowhere',
      'policy: { bundle: bundle.tar.gz, data: { agents: {} } }',
      'policy.data.agents',
    ],
    [
      'a bundle of data from two places',
      'policy: { bundle: bundle.tar.gz, data: { agents: { bundle: a.tar.gz, service: { url: https://bundles.example, resource: b } } } }',
      'policy.data.agents',
    ],
    [
      'a bundle of data from where the rules come from',
      'policy: { bundle: bundle.tar.gz, data: { agents: { bundle: bundle.tar.gz } } }',
      'policy.data.agents',
    ],
    [
      'a bundle of data with the name of the rules',
      'policy: { bundle: bundle.tar.gz, data: { policy: { bundle: a.tar.gz } } }',
      'policy.data',
    ],
    [
      'a bundle of data that is not there',
      'policy: { bundle: bundle.tar.gz, data: { agents: { bundle: nowhere.tar.gz } } }',
      'policy.data.agents.bundle',
    ],
    [
      'a service of a bundle of data over plain http',
      'policy: { bundle: bundle.tar.gz, data: { agents: { service: { url: http://bundles.example, resource: b } } } }',
      'policy.data.agents.service.url',
    ],
    [
      'a key for a bundle of data that is not there',
      'policy: { bundle: bundle.tar.gz, data: { agents: { bundle: bundle.tar.gz, verification: { keyFile: nowhere.pem, algorithm: ES256 } } } }',
      'policy.data.agents.verification.keyFile',
    ],
    [
      'a root that no manifest could have',
      'policy: { bundle: bundle.tar.gz, data: { agents: { bundle: bundle.tar.gz, roots: [/registry] } } }',
      'policy.data.agents.roots.0',
    ],
  ])('%s is refused', (_what, text, path) => {
    expect(problemsOf(`${base}\n${text}\n`).map((problem) => problem.path)).toContain(path)
  })
})
