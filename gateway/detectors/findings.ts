/** What is looked for. */
export const FINDING_KINDS = ['secrets', 'pii', 'injection'] as const
export type FindingKind = (typeof FINDING_KINDS)[number]

/**
 * Names of what can be found, the closed set of each kind; they are what policy, the record and the metrics see. What
 * was found is never kept: a record of secrets would be one more place that holds them.
 */
export const FINDING_NAMES = {
  secrets: [
    'anthropic_key',
    'atlassian_token',
    'aws_access_key',
    'aws_secret_key',
    'azure_storage_key',
    'databricks_token',
    'digitalocean_token',
    'docker_token',
    'github_token',
    'gitlab_token',
    'google_api_key',
    'google_oauth_secret',
    'google_oauth_token',
    'grafana_token',
    'high_entropy',
    'huggingface_token',
    'jwt',
    'linear_token',
    'newrelic_key',
    'npm_token',
    'openai_key',
    'postman_key',
    'private_key',
    'pypi_token',
    'rubygems_token',
    'sendgrid_key',
    'sentry_token',
    'shopify_token',
    'slack_token',
    'slack_webhook',
    'stripe_key',
    'stripe_webhook_secret',
    'telegram_token',
    'terraform_token',
    'unscanned',
    'url_password',
    'vault_token',
  ],
  pii: ['card', 'email', 'iban', 'swiss_ahv', 'us_ssn'],
  injection: [
    'bidi_override',
    'chat_markup',
    'concealment',
    'exfiltration_link',
    'hidden_text',
    'instruction_override',
    'prompt_extraction',
    'role_override',
  ],
} as const satisfies Record<FindingKind, readonly string[]>

export type SecretName = (typeof FINDING_NAMES)['secrets'][number]
export type PiiName = (typeof FINDING_NAMES)['pii'][number]
export type InjectionName = (typeof FINDING_NAMES)['injection'][number]
type FindingName = SecretName | PiiName | InjectionName

/** Names of what was found, each list sorted and without repetition. */
export interface Findings {
  readonly secrets: readonly SecretName[]
  readonly pii: readonly PiiName[]
  readonly injection: readonly InjectionName[]
}

export const NOTHING_FOUND: Findings = { secrets: [], pii: [], injection: [] }

export function isNothing({ secrets, pii, injection }: Findings): boolean {
  return secrets.length === 0 && pii.length === 0 && injection.length === 0
}

/** Gathers names while texts are looked at; makes nothing where nothing is found, as nearly always. */
export class FoundNames {
  #names: Set<FindingName> | undefined

  add(name: FindingName): void {
    this.#names ??= new Set()
    this.#names.add(name)
  }

  has(name: FindingName): boolean {
    return this.#names?.has(name) ?? false
  }

  findings(): Findings {
    const names = this.#names
    if (names === undefined) return NOTHING_FOUND
    const within = <Name extends FindingName>(known: readonly Name[]): Name[] =>
      known.filter((name) => names.has(name))
    return {
      secrets: within(FINDING_NAMES.secrets),
      pii: within(FINDING_NAMES.pii),
      injection: within(FINDING_NAMES.injection),
    }
  }
}
