import { expect, it } from 'vitest'
import { environmentOf } from '../../../gateway/catalog/environment.ts'
import { redirectAllowed } from '../../../gateway/catalog/redirect.ts'
import type { Resource } from '../../../gateway/exchange.ts'
import { connectorNamed, loadCommitted } from './catalog-harness.ts'

const github = connectorNamed(loadCommitted(), 'github')

const rules = {
  environments: [
    { resource: 'repository', value: 'ZYX/platform-infra', environment: 'production' },
    { resource: 'repository', value: 'zyx/sandbox-*', environment: 'development' },
    { resource: 'project', value: 'CHG', environment: 'staging' },
  ],
  environment: 'unknown',
} as const

function environment(fields: Partial<Resource>): string {
  const none = { project: '', repository: '', channel: '', account: '', amount: { value: 0, currency: '' } }
  return environmentOf(rules, { ...none, ...fields })
}

it.each([
  [{ repository: 'zyx/platform-infra' }, 'production'],
  [{ repository: 'zyx/sandbox-7' }, 'development'],
  [{ repository: 'zyx/sandbox' }, 'unknown'],
  [{ repository: 'zyx/platform-infra-2' }, 'unknown'],
  [{ project: 'chg' }, 'staging'],
  [{ repository: 'id:1296269' }, 'unknown'],
  [{ repository: '*' }, 'unknown'],
  [{ channel: 'C1' }, 'unknown'],
  [{}, 'unknown'],
])('the environment of %j is %s', (fields, expected) => {
  expect(environment(fields)).toBe(expected)
})

it('is unknown for several things at once, whatever the default', () => {
  const resource = {
    project: '',
    repository: '*',
    channel: '',
    account: '',
    amount: { value: 0, currency: '' },
  }
  expect(environmentOf({ ...rules, environment: 'development' }, resource)).toBe('unknown')
})

it.each([
  ['codeload.github.com', true],
  ['productionresultssa12.blob.core.windows.net', true],
  ['productionresultssa.blob.core.windows.net', false],
  ['productionresultssa1.evil.blob.core.windows.net', false],
  ['evil.blob.core.windows.net', false],
  ['codeload.github.com.evil.test', false],
  ['evil-codeload.github.com', false],
  ['169.254.169.254', false],
  ['', false],
])('a redirect of GitHub to %s: %s', (host, allowed) => {
  expect(redirectAllowed(github, host)).toBe(allowed)
})
