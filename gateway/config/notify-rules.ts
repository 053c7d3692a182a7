import type { Config, SecretReference } from './config.ts'
import type { NotifyTargetConfig, OutboundConfig } from './notify-config.ts'
import type { ConfigProblem } from './problem.ts'

const KINDS = ['webhook', 'pagerduty'] as const

/** Settings of who is told that are fine alone and wrong together. */
export function notifying({ notify }: Config): ConfigProblem[] {
  return Object.entries(notify.targets).flatMap(([name, target]) => {
    const path = `notify.targets.${name}`
    const problems: ConfigProblem[] = []
    if (KINDS.filter((kind) => target[kind] !== undefined).length !== 1)
      problems.push({ path, reason: `needs exactly one of ${KINDS.join(', ')}` })
    for (const [kind, reached] of outboundsOf(target))
      problems.push(...outboundProblems(`${path}.${kind}`, reached))
    return problems
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

/** How each place is reached, by the name of its setting. */
export function outboundsOf({
  webhook,
  pagerduty,
}: NotifyTargetConfig): readonly (readonly [string, OutboundConfig])[] {
  return [
    ...(webhook === undefined ? [] : [['webhook', webhook] as const]),
    ...(pagerduty === undefined ? [] : [['pagerduty', pagerduty] as const]),
  ]
}

/** What targets refer to outside the configuration, by the path of each setting. */
export function notifyReferences({ notify }: Config): {
  readonly files: Readonly<Record<string, string | undefined>>
  readonly secrets: Readonly<Record<string, SecretReference | undefined>>
} {
  const named = Object.entries(notify.targets).map(
    ([name, target]) => [`notify.targets.${name}`, target] as const,
  )
  const files = named.flatMap(([path, target]) =>
    outboundsOf(target).map(([kind, { caFile }]) => [`${path}.${kind}.caFile`, caFile] as const),
  )
  const secrets = named.flatMap(([path, { webhook, pagerduty }]) => [
    [`${path}.webhook.token`, webhook?.token] as const,
    ...(webhook?.signingSecrets ?? []).map(
      (secret, index) => [`${path}.webhook.signingSecrets.${String(index)}`, secret] as const,
    ),
    [`${path}.pagerduty.routingKey`, pagerduty?.routingKey] as const,
  ])
  return { files: Object.fromEntries(files), secrets: Object.fromEntries(secrets) }
}
