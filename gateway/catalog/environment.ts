import type { ConnectorConfig } from '../config/config.ts'
import type { Resource } from '../exchange.ts'
import type { Environment } from './connector.ts'
import { UNKNOWN_RESOURCE } from './resource-rule.ts'

/**
 * The environment a call acts in, by the first rule that its resource meets. Names are compared without case, and a
 * rule's value that ends in `*` is a prefix. Where a call may reach several things of a kind that rules tell apart,
 * no rule can speak for it: the environment is `unknown`, whatever the default.
 */
export function environmentOf(
  config: Pick<ConnectorConfig, 'environments' | 'environment'>,
  resource: Resource,
): Environment {
  for (const rule of config.environments) {
    const actual = resource[rule.resource]
    if (actual === '') continue
    if (actual === UNKNOWN_RESOURCE) return 'unknown'
    if (matches(rule.value.toLowerCase(), actual.toLowerCase())) return rule.environment
  }
  return config.environment
}

function matches(pattern: string, actual: string): boolean {
  return pattern.endsWith('*') ? actual.startsWith(pattern.slice(0, -1)) : actual === pattern
}
