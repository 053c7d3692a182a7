import type { CertifiedPerson, PeopleIssuerConfig } from '../config/admin-config.ts'
import type { SlackAppConfig, VoteSenderConfig } from '../config/notify-config.ts'
import type { Person } from '../control/actor.ts'
import { isSamePerson } from '../control/same-person.ts'
import { assertNever } from '../lib/assert-never.ts'

/** What a configuration says of people who answer. */
export interface PeopleSources {
  readonly listen: {
    readonly admin: {
      readonly people: {
        readonly issuers: readonly Pick<PeopleIssuerConfig, 'issuer'>[]
        readonly certificates: readonly Pick<CertifiedPerson, 'id' | 'groups'>[]
        readonly barred: readonly string[]
      }
    }
  }
  readonly notify: {
    readonly slack: Pick<SlackAppConfig, 'teamId' | 'people'> | undefined
    readonly voteSenders: Readonly<Record<string, Pick<VoteSenderConfig, 'people'>>>
  }
}

/**
 * Who people are by the configuration in force, asked when somebody answers and again when the answer is used. Whoever was
 * taken out of it meanwhile, or out of the group that was asked, has then said nothing.
 *
 * Nothing is known of an issuer's own directory: whom it vouched for is who they were for as long as it is believed, and
 * `people.barred` is for those who left before that.
 */
export class KnownPeople {
  #people: PeopleSources['listen']['admin']['people']
  #notify: PeopleSources['notify']

  constructor({ listen, notify }: PeopleSources) {
    this.#people = listen.admin.people
    this.#notify = notify
  }

  /** Takes the people of a configuration read anew. */
  use({ listen, notify }: PeopleSources): void {
    this.#people = listen.admin.people
    this.#notify = notify
  }

  /** With the groups that they are in by now; `undefined` where nobody vouches for them any more. */
  now(person: Person): Person | undefined {
    if (this.#people.barred.some((id) => isSamePerson({ id }, person))) return undefined
    switch (person.channel) {
      case 'admin':
        return this.#signedIn(person)
      case 'slack': {
        const { slack } = this.#notify
        const people = slack !== undefined && person.issuer === `slack:${slack.teamId}` ? slack.people : {}
        return inGroupsOf(person, Object.values(people).map(named))
      }
      case 'webhook': {
        const sender = Object.entries(this.#notify.voteSenders).find(
          ([name]) => person.issuer === `webhook:${name}`,
        )
        return inGroupsOf(person, Object.values(sender?.[1].people ?? {}).map(named))
      }
      default:
        return assertNever(person.channel)
    }
  }

  #signedIn(person: Person): Person | undefined {
    const { issuers, certificates } = this.#people
    if (issuers.some(({ issuer }) => issuer === person.issuer)) return person
    // Of several certificates the person is who any of them says.
    return person.authentication === 'mtls' ? inGroupsOf(person, certificates) : undefined
  }
}

interface Listed {
  readonly id: string
  readonly groups: readonly string[]
}

function named({ person, groups }: { readonly person: string; readonly groups: readonly string[] }): Listed {
  return { id: person, groups }
}

function inGroupsOf(person: Person, listed: readonly Listed[]): Person | undefined {
  const found = listed.filter((each) => isSamePerson(each, person))
  return found.length === 0
    ? undefined
    : { ...person, groups: [...new Set(found.flatMap(({ groups }) => groups))] }
}
