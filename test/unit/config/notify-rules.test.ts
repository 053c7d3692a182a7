import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../../gateway/config/load.ts'
import { ConfigError } from '../../../gateway/config/problem.ts'
import { showConfig } from '../../../gateway/config/show.ts'

function load(notify: object) {
  const issuer = 'https://login.zyx.example'
  const settings = {
    identity: { issuers: [{ issuer, audiences: ['https://a.example'], jwks: { uri: `${issuer}/jwks` } }] },
    connectors: { github: { credential: { type: 'none' } } },
    notify,
  }
  return parseConfig(JSON.stringify(settings), { environment: { KEY: 'hunter2' }, folder: tmpdir() })
}

function problemsOf(targets: object, more: object = {}): readonly string[] {
  try {
    load({ targets, ...more })
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, reason }) => `${path} ${reason}`)
    throw error
  }
  return []
}

describe('the settings of who is told', () => {
  const webhook = { url: 'https://hooks.zyx.example/toolgate' }
  const pagerduty = { routingKey: 'env:KEY' }

  it('name nobody until they are asked to, and are whole then', () => {
    expect(load({}).notify).toEqual({
      targets: {},
      voteSenders: {},
      queue: { limitEvents: 1_000, giveUpMs: 900_000 },
    })
    expect(load({ targets: { duty: { pagerduty } } }).notify.targets['duty']).toMatchObject({
      events: [],
      groups: [],
      pagerduty: { url: 'https://events.pagerduty.com/v2/enqueue', timeoutMs: 10_000, allowAddresses: [] },
    })
  })

  it('name one place for each target', () => {
    const reason = expect.stringMatching(/^notify\.targets\.duty needs exactly one of/) as string
    expect(problemsOf({ duty: {} })).toEqual([reason])
    expect(problemsOf({ duty: { webhook, pagerduty } })).toEqual([reason])
  })

  it('send nothing in the clear but to addresses that they name', () => {
    const url = 'http://hooks.zyx.example'
    expect(problemsOf({ chat: { webhook: { url } } })).toEqual([
      'notify.targets.chat.webhook.url must be https; http is for private addresses that allowAddresses names',
    ])
    expect(problemsOf({ chat: { webhook: { url, allowAddresses: ['10.1.0.0/16'] } } })).toEqual([])
  })

  it('know every type and family of events, and no other', () => {
    expect(problemsOf({ chat: { webhook, events: ['lock', 'approval.requested'] } })).toEqual([])
    expect(problemsOf({ chat: { webhook, events: ['locks'] } })).toEqual([
      expect.stringMatching(/^notify\.targets\.chat\.events\.0 must be one of approval, review, lock/),
    ])
  })

  it('name secrets that are there, and show none', () => {
    expect(
      problemsOf({
        duty: { pagerduty: { routingKey: 'env:GONE' } },
        chat: { webhook: { ...webhook, signingSecrets: ['env:KEY', 'env:NEXT'], caFile: '/gone.pem' } },
      }),
    ).toEqual([
      'notify.targets.chat.webhook.caFile /gone.pem cannot be read',
      'notify.targets.duty.pagerduty.routingKey the variable GONE is not set',
      'notify.targets.chat.webhook.signingSecrets.1 the variable NEXT is not set',
    ])
    const shown = JSON.stringify(
      showConfig(load({ targets: { chat: { webhook: { ...webhook, signingSecrets: ['env:KEY'] } } } })),
    )
    expect(shown).toContain('env:KEY')
    expect(shown).not.toContain('hunter2')
  })

  const slack = { teamId: 'T0ZYX', appId: 'A0TG', token: 'env:KEY', signingSecrets: ['env:KEY'] }
  const channel = (id: string) => ({ slack: { channel: id } })

  it('need an app for a channel of Slack, and name each channel once', () => {
    expect(problemsOf({ chat: channel('C0A') }, { slack })).toEqual([])
    expect(problemsOf({ chat: channel('C0A') })).toEqual([
      'notify.slack is required by notify.targets.chat.slack',
    ])
    expect(problemsOf({ chat: channel('C0A'), other: channel('C0A') }, { slack })).toEqual([
      'notify.targets.other.slack.channel is also that of notify.targets.chat',
    ])
    expect(problemsOf({ chat: channel('#review') }, { slack })).toEqual([
      expect.stringMatching(/^notify\.targets\.chat\.slack\.channel must match/),
    ])
  })

  it('name a secret that messages of Slack and of others are signed with, and two at most', () => {
    const sender = { signingSecrets: [] }
    expect(
      problemsOf({}, { slack: { ...slack, signingSecrets: [] }, voteSenders: { itsm: sender } }),
    ).toEqual([
      expect.stringMatching(/^notify\.slack\.signingSecrets must NOT have fewer than 1/),
      expect.stringMatching(/^notify\.voteSenders\.itsm\.signingSecrets must NOT have fewer than 1/),
    ])
  })

  it('make two accounts of one person no two people', () => {
    const people = { U0A: { person: 'omar@zyx.example' }, U0B: { person: ' Omar@ZYX.example' } }
    expect(problemsOf({}, { slack: { ...slack, people } })).toEqual([
      'notify.slack.people.U0B is the same person as U0A',
    ])
    const voteSenders = { itsm: { signingSecrets: ['env:KEY'], people } }
    expect(problemsOf({}, { voteSenders })).toEqual([
      'notify.voteSenders.itsm.people.U0B is the same person as U0A',
    ])
  })
})
