import { describe, expect, it } from 'vitest'
import { createAddressing } from '../../../gateway/catalog/address.ts'
import { connectorNamed, loadCommitted } from './catalog-harness.ts'

const catalog = loadCommitted()
const github = connectorNamed(catalog, 'github')
const jira = connectorNamed(catalog, 'jira')
const slack = connectorNamed(catalog, 'slack')

const connectorAt = createAddressing([
  {
    connector: github,
    prefix: '/github',
    hosts: ['github.gw.internal', 'gh.gw.internal:8443'],
    port: undefined,
  },
  { connector: jira, prefix: '/github/enterprise', hosts: [], port: undefined },
  { connector: slack, prefix: undefined, hosts: [], port: 9443 },
])

function at(path: string, untrustedHost = 'gw.internal', port = 8080): unknown {
  const addressed = connectorAt({ path, untrustedHost, port })
  return addressed === undefined ? undefined : [addressed.connector.name, addressed.upstreamPath]
}

describe('a connector is addressed', () => {
  it.each([
    ['by its prefix', at('/github/repos/a/b'), ['github', '/repos/a/b']],
    ['by its prefix alone', at('/github'), ['github', '/']],
    ['by its prefix and a slash', at('/github/'), ['github', '/']],
    ['by the longest prefix', at('/github/enterprise/rest'), ['jira', '/rest']],
    ['by a whole segment only', at('/github-evil/repos'), undefined],
    ['by case', at('/GitHub/repos'), undefined],
    ['by its spelling, not by what it decodes to', at('/%67ithub/repos'), undefined],
    ['by its host', at('/repos/a/b', 'github.gw.internal'), ['github', '/repos/a/b']],
    ['by its host in any case, with any port', at('/x', 'GitHub.GW.internal:1234'), ['github', '/x']],
    ['by its host with the port that is configured', at('/x', 'gh.gw.internal:8443'), ['github', '/x']],
    ['by no other port', at('/x', 'gh.gw.internal:1'), undefined],
    ['by its port, whatever the host', at('/github/x', 'github.gw.internal', 9443), ['slack', '/github/x']],
    ['by nothing', at('/repos/a/b'), undefined],
    ['by nothing at the root', at('/'), undefined],
  ])('%s', (_how, actual, expected) => {
    expect(actual).toEqual(expected)
  })

  it('when there is no Host at all', () => {
    expect(connectorAt({ path: '/github/x', untrustedHost: undefined, port: 8080 })?.connector.name).toBe(
      'github',
    )
  })

  it('with a path that is passed on unread, for the matcher to refuse', () => {
    expect(at('/github/../jira')).toEqual(['github', '/../jira'])
    expect(catalog.match(github, 'GET', '/../jira')).toMatchObject({
      ok: false,
      refusal: { code: 'request.target_invalid' },
    })
  })
})
