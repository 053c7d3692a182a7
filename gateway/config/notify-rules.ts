import type { Config, SecretReference } from './config.ts'
import { identityOf } from '../control/same-person.ts'
import type { NotifyConfig, OutboundConfig, SlackAppConfig } from './notify-config.ts'
import type { ConfigProblem } from './problem.ts'

const KINDS = ['webhook', 'pagerduty', 'slack'] as const

/** Settings of who is told that are fine alone and wrong together. */
export function notifying({ notify }: Config): ConfigProblem[] {
  const { targets, slack, voteSenders } = notify
  const channels = new Map<string, string>()
  return [
    ...outboundsOf(notify).flatMap(([path, reached]) => outboundProblems(path, reached)),
    ...Object.entries(targets).flatMap(([name, target]) => {
      const path = `notify.targets.${name}`
      const problems: ConfigProblem[] = []
      if (KINDS.filter((kind) => target[kind] !== undefined).length !== 1)
        problems.push({ path, reason: `needs exactly one of ${KINDS.join(', ')}` })
      if (target.slack === undefined) return problems
      if (slack === undefined) problems.push({ path: 'notify.slack', reason: `is required by ${path}.slack` })
      // An approval has one message in a channel.
      const { channel } = target.slack
      const other = channels.get(channel)
      if (other !== undefined)
        problems.push({ path: `${path}.slack.channel`, reason: `is also that of notify.targets.${other}` })
      channels.set(channel, name)
      return problems
    }),
    ...(slack === undefined ? [] : peopleProblems('notify.slack', slack)),
    ...Object.entries(voteSenders).flatMap(([name, sender]) =>
      peopleProblems(`notify.voteSenders.${name}`, sender),
    ),
  ]
}

/** One person with two accounts is one person, who would be asked as two. */
function peopleProblems(path: string, { people }: Pick<SlackAppConfig, 'people'>): ConfigProblem[] {
  const users = new Map<string, string>()
  return Object.entries(people).flatMap(([user, { person }]) => {
    const identity = identityOf(person)
    const other = users.get(identity)
    users.set(identity, user)
    if (other === undefined) return []
    return [{ path: `${path}.people.${user}`, reason: `is the same person as ${other}` }]
  })
}

/** What is sent may hold what a call holds, and is believed by who gets it. */
function outboundProblems(path: string, { url, allowAddresses }: OutboundConfig): ConfigProblem[] {
  if (!url.startsWith('http:') || allowAddresses.length > 0) return []
  return [
    {
      path: `${path}.url`,
      reason: 'must be https; http is for private addresses that allowAddresses names',
    },
  ]
}

/** How each place is reached, by the path of its settings. */
export function outboundsOf({
  targets,
  slack,
}: NotifyConfig): readonly (readonly [string, OutboundConfig])[] {
  const reached = Object.entries(targets).flatMap(([name, { webhook, pagerduty }]) => [
    [`notify.targets.${name}.webhook`, webhook] as const,
    [`notify.targets.${name}.pagerduty`, pagerduty] as const,
  ])
  return [...reached, ['notify.slack', slack] as const].flatMap(([path, config]) =>
    config === undefined ? [] : [[path, config] as const],
  )
}

/** What the channels refer to outside the configuration, by the path of each setting. */
export function notifyReferences({ notify }: Config): {
  readonly files: Readonly<Record<string, string | undefined>>
  readonly secrets: Readonly<Record<string, SecretReference | undefined>>
} {
  const { targets, slack, voteSenders } = notify
  const files = outboundsOf(notify).map(([path, { caFile }]) => [`${path}.caFile`, caFile] as const)
  const each = (path: string, secrets: readonly SecretReference[] = []) =>
    secrets.map((secret, index) => [`${path}.${String(index)}`, secret] as const)
  const secrets = Object.entries(targets).flatMap(([name, { webhook, pagerduty }]) => [
    [`notify.targets.${name}.webhook.token`, webhook?.token] as const,
    ...each(`notify.targets.${name}.webhook.signingSecrets`, webhook?.signingSecrets),
    [`notify.targets.${name}.pagerduty.routingKey`, pagerduty?.routingKey] as const,
  ])
  return {
    files: Object.fromEntries(files),
    secrets: Object.fromEntries([
      ...secrets,
      ['notify.slack.token', slack?.token],
      ...each('notify.slack.signingSecrets', slack?.signingSecrets),
      ...Object.entries(voteSenders).flatMap(([name, { signingSecrets }]) =>
        each(`notify.voteSenders.${name}.signingSecrets`, signingSecrets),
      ),
    ]),
  }
}
