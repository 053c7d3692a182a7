import type { SlackAppConfig } from '../../config/notify-config.ts'
import type { Person } from '../../control/actor.ts'
import type { SlackSender } from './read-message.ts'

/** Who a user of the workspace is. Whom the configuration does not name is somebody who may do nothing, and on record. */
export function personOf(
  { userId, teamId }: SlackSender,
  { people }: Pick<SlackAppConfig, 'people'>,
): { readonly person: Person; readonly isKnown: boolean } {
  const known = Object.hasOwn(people, userId) ? people[userId] : undefined
  const issuer = `slack:${teamId}`
  return {
    person: {
      id: known?.person ?? `${issuer}:${userId}`,
      issuer,
      groups: known?.groups ?? [],
      channel: 'slack',
      authentication: 'slack',
    },
    isKnown: known !== undefined,
  }
}
