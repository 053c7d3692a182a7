import type { SlackAppConfig } from '../../config/notify-config.ts'
import { createSecretReader } from '../../config/secret.ts'
import { createOutbound } from '../../egress/outbound.ts'
import { createSlackApi, type SlackApi } from './slack-api.ts'
import type { SlackApp } from './slack-routes.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** The Web API as the app may use it. @throws ConfigError */
export function openSlackApi(config: SlackAppConfig, environment: Environment): SlackApi {
  const readSecret = createSecretReader(environment)
  return createSlackApi(createOutbound({ config, path: 'notify.slack' }), () => readSecret(config.token))
}

/** The app that people answer through; one for each reading of the configuration. */
export class SlackApps implements AsyncDisposable {
  readonly #environment: Environment
  #current: SlackApp | undefined

  constructor(environment: Environment) {
    this.#environment = environment
  }

  get current(): SlackApp | undefined {
    return this.#current
  }

  /**
   * Opens what a configuration names; the result puts it in force.
   *
   * @throws ConfigError when it cannot be reached as it says; what is in force stays so
   */
  prepare(config: SlackAppConfig | undefined): () => void {
    const next = config && this.#open(config)
    return () => {
      const before = this.#current
      this.#current = next
      void before?.api[Symbol.asyncDispose]()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#current?.api[Symbol.asyncDispose]()
  }

  #open(config: SlackAppConfig): SlackApp {
    const readSecret = createSecretReader(this.#environment)
    return {
      config,
      signingSecrets: config.signingSecrets.map((reference) => () => readSecret(reference)),
      api: openSlackApi(config, this.#environment),
    }
  }
}
