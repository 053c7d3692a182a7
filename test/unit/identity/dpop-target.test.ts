import { describe, expect, test } from 'vitest'
import { originsByEntrance } from '../../../gateway/config/entrance.ts'
import { createTargetCheck } from '../../../gateway/identity/dpop-target.ts'

const ORIGIN = 'https://gw.bank.example'
const isTarget = createTargetCheck(new Map([['prefix', [ORIGIN]]]), '')

describe('an htu that names the target', () => {
  test.each([
    ['as it is', `${ORIGIN}/github/issues`, '/github/issues'],
    ['with a query, which htu is compared without', `${ORIGIN}/github/issues?state=open`, '/github/issues'],
    ['with its default port', 'https://gw.bank.example:443/github/issues', '/github/issues'],
    ['with scheme and host in capitals', 'HTTPS://GW.Bank.Example/github/issues', '/github/issues'],
    ['with a needless escape', `${ORIGIN}/%67ithub/issues`, '/github/issues'],
    ['with an escape in the other case', `${ORIGIN}/a%2fb`, '/a%2Fb'],
    ['without a path, for the root', ORIGIN, '/'],
  ])('%s', (_what, htu, path) => {
    expect(isTarget(htu, path, 'prefix')).toBe(true)
  })
})

describe('an htu that does not', () => {
  test.each([
    ['another path', `${ORIGIN}/github/admin`, '/github/issues'],
    ['a path in another case', `${ORIGIN}/GitHub/issues`, '/github/issues'],
    ['a trailing slash more', `${ORIGIN}/github/issues/`, '/github/issues'],
    ['a trailing slash less', `${ORIGIN}/github/issues`, '/github/issues/'],
    ['another scheme', 'http://gw.bank.example/github/issues', '/github/issues'],
    ['another port', `${ORIGIN}:8443/github/issues`, '/github/issues'],
    ['another host that begins alike', 'https://gw.bank.example.evil/github/issues', '/github/issues'],
    ['userinfo', 'https://gw.bank.example@evil.example/github/issues', '/github/issues'],
    ['userinfo before our host', 'https://evil@gw.bank.example/github/issues', '/github/issues'],
    ['a fragment', `${ORIGIN}/github/issues#x`, '/github/issues'],
    ['a fragment in the query', `${ORIGIN}/github/issues?a#x`, '/github/issues'],
    ['backslashes', `${ORIGIN}\\github\\issues`, '/github/issues'],
    ['dot segments', `${ORIGIN}/slack/../github/issues`, '/github/issues'],
    ['escaped dot segments', `${ORIGIN}/slack/%2e%2e/github/issues`, '/github/issues'],
    ['an escaped slash', `${ORIGIN}/github%2Fissues`, '/github/issues'],
    ['a tab, which URL parsers drop', `${ORIGIN}/git\thub/issues`, '/github/issues'],
    ['a leading space', ` ${ORIGIN}/github/issues`, '/github/issues'],
    ['a letter that only looks alike', 'https://gw.b\u0430nk.example/github/issues', '/github/issues'],
    ['a path alone', '/github/issues', '/github/issues'],
    ['nothing', '', '/'],
  ])('%s', (_what, htu, path) => {
    expect(isTarget(htu, path, 'prefix')).toBe(false)
  })
})

describe('behind a proxy that strips a prefix', () => {
  test('the prefix belongs to the target', () => {
    const behind = createTargetCheck(new Map([['prefix', [ORIGIN]]]), '/tools')
    expect(behind(`${ORIGIN}/tools/github/issues`, '/github/issues', 'prefix')).toBe(true)
    expect(behind(`${ORIGIN}/github/issues`, '/github/issues', 'prefix')).toBe(false)
  })
})

describe('with several ways in', () => {
  const several = createTargetCheck(
    originsByEntrance({
      listen: {
        externalOrigins: [ORIGIN, 'https://slack.gw.example', `${ORIGIN}:9443`, 'https://jira.gw.example'],
      },
      connectors: {
        github: { address: { hosts: [], port: undefined } },
        slack: { address: { hosts: ['Slack.gw.example'], port: undefined } },
        jira: { address: { hosts: ['jira.gw.example:443'], port: undefined } },
        confluence: { address: { hosts: [], port: 9443 } },
      },
    }),
    '',
  )

  test.each([
    ['prefix', ORIGIN],
    ['host slack.gw.example', 'https://slack.gw.example'],
    ['host jira.gw.example:443', 'https://jira.gw.example'],
    ['port 9443', `${ORIGIN}:9443`],
  ] as const)('a call by %s takes proofs for %s alone', (entrance, own) => {
    for (const origin of [ORIGIN, 'https://slack.gw.example', 'https://jira.gw.example', `${ORIGIN}:9443`])
      expect(several(`${origin}/x`, '/x', entrance)).toBe(origin === own)
  })

  test('a way in without an origin takes none', () => {
    expect(several(`${ORIGIN}/x`, '/x', 'port 1')).toBe(false)
  })
})
