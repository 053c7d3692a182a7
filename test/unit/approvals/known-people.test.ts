import { describe, expect, it } from 'vitest'
import { KnownPeople, type PeopleSources } from '../../../gateway/approvals/known-people.ts'
import type { Person } from '../../../gateway/control/actor.ts'

const ISSUER = 'https://people.example'

interface Listed {
  readonly issuers?: readonly string[]
  readonly certificates?: PeopleSources['listen']['admin']['people']['certificates']
  readonly barred?: readonly string[]
  readonly slack?: ChannelPeople
  readonly voteSenders?: PeopleSources['notify']['voteSenders']
}

type ChannelPeople = NonNullable<PeopleSources['notify']['slack']>['people']

function config(listed: Listed): PeopleSources {
  const { issuers = [ISSUER], certificates = [], barred = [], slack, voteSenders = {} } = listed
  const people = { issuers: issuers.map((issuer) => ({ issuer })), certificates, barred }
  return {
    listen: { admin: { people } },
    notify: { slack: slack && { teamId: 'T1', people: slack }, voteSenders },
  }
}

const KIM: Person = {
  id: 'kim@zyx.example',
  issuer: ISSUER,
  groups: ['change-approvers'],
  channel: 'admin',
  authentication: 'acr=mfa',
}
const CERTIFIED: Person = { ...KIM, issuer: 'CN=people', authentication: 'mtls' }
const IN_SLACK: Person = { ...KIM, issuer: 'slack:T1', channel: 'slack', authentication: 'slack' }
const SENT: Person = { ...KIM, issuer: 'webhook:desk', channel: 'webhook', authentication: 'webhook' }

const certified = (groups: readonly string[], id = KIM.id) => ({ id, groups })
const listed = (groups: readonly string[], person = KIM.id): ChannelPeople => ({ U1: { person, groups } })
const desk = (groups: readonly string[], name = 'desk') => ({ [name]: { people: listed(groups) } })

describe('somebody who answered', () => {
  it.each<[string, Person, Listed]>([
    ['signed in', KIM, {}],
    ['with a certificate', CERTIFIED, { certificates: [certified(['change-approvers'])] }],
    ['in Slack', IN_SLACK, { slack: listed(['change-approvers']) }],
    ['through a sender', SENT, { voteSenders: desk(['change-approvers']) }],
  ])('%s is who they were while nothing has changed', (_how, person, more) => {
    expect(new KnownPeople(config(more)).now(person)).toEqual(person)
  })

  it.each<[string, Person, Listed]>([
    ['whose issuer is believed no more', KIM, { issuers: [] }],
    ['whose certificate is listed no more', CERTIFIED, { certificates: [certified([], 'lee')] }],
    ['whose issuer only calls itself as a certificate does', { ...CERTIFIED, issuer: 'CN=x' }, {}],
    ['whom Slack is not asked about any more', IN_SLACK, {}],
    ['whom the workspace has under another name', IN_SLACK, { slack: listed(['change-approvers'], 'lee') }],
    ['of another workspace', { ...IN_SLACK, issuer: 'slack:T2' }, { slack: listed(['change-approvers']) }],
    ['whose sender is gone', SENT, { voteSenders: desk(['change-approvers'], 'other') }],
    ['who is barred', KIM, { barred: ['KIM@zyx.example '] }],
    ['who is barred, in Slack', IN_SLACK, { slack: listed(['change-approvers']), barred: [KIM.id] }],
  ])('%s is nobody', (_who, person, more) => {
    expect(new KnownPeople(config(more)).now(person)).toBeUndefined()
  })

  it.each<[string, Person, Listed]>([
    ['with a certificate', CERTIFIED, { certificates: [certified(['on-call'])] }],
    ['in Slack', IN_SLACK, { slack: listed(['on-call']) }],
    ['through a sender', SENT, { voteSenders: desk(['on-call']) }],
  ])('%s is in the groups of now', (_how, person, more) => {
    expect(new KnownPeople(config(more)).now(person)?.groups).toEqual(['on-call'])
  })

  it('with two certificates is in the groups of both', () => {
    const certificates = [certified(['a', 'b']), certified(['b', 'c'])]
    expect(new KnownPeople(config({ certificates })).now(CERTIFIED)?.groups).toEqual(['a', 'b', 'c'])
  })

  it('is judged by the configuration read last', () => {
    const people = new KnownPeople(config({}))
    people.use(config({ barred: [KIM.id] }))
    expect(people.now(KIM)).toBeUndefined()
  })
})
