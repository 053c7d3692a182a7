/** Someone the development issuer gives tokens for: an agent, and the person it acts for. */
export interface Persona {
  /** `client_id` of the token: the agent. */
  readonly clientId: string
  /** `sub` of the token: the principal. */
  readonly subject: string
  readonly groups: readonly string[]
  readonly deviceCompliant: boolean
  readonly tenant: string
  readonly description: string
}

/** Who `toolgate dev call --as` is where nothing else is said. */
export const DEFAULT_PERSONA = 'change-review-agent'

/** The people and agents of ZYX Bank, by the name that `--as` and the issuer's `persona` parameter take. */
export const PERSONAS: ReadonlyMap<string, Persona> = new Map<string, Persona>([
  [
    DEFAULT_PERSONA,
    {
      clientId: 'change-review-agent',
      subject: 'dana@zyx.example',
      groups: ['devsecops-change-review'],
      deviceCompliant: true,
      tenant: 'zyx-bank',
      description: 'the change review agent, for Dana of DevSecOps',
    },
  ],
  [
    'outsider',
    {
      clientId: 'change-review-agent',
      subject: 'omar@zyx.example',
      groups: ['marketing'],
      deviceCompliant: true,
      tenant: 'zyx-bank',
      description: 'the same agent, for Omar of Marketing',
    },
  ],
  [
    'unmanaged-device',
    {
      clientId: 'change-review-agent',
      subject: 'dana@zyx.example',
      groups: ['devsecops-change-review'],
      deviceCompliant: false,
      tenant: 'zyx-bank',
      description: 'the same agent, for Dana on a device that is not compliant',
    },
  ],
  [
    'release-agent',
    {
      clientId: 'release-agent',
      subject: 'rui@zyx.example',
      groups: ['release-engineering'],
      deviceCompliant: true,
      tenant: 'zyx-bank',
      description: 'the release agent, for Rui of Release Engineering',
    },
  ],
  [
    'standards-search-agent',
    {
      clientId: 'standards-search-agent',
      subject: 'dana@zyx.example',
      groups: ['devsecops-change-review'],
      deviceCompliant: true,
      tenant: 'zyx-bank',
      description: 'an agent that may only read, for Dana',
    },
  ],
  [
    'shadow-agent',
    {
      clientId: 'shadow-agent',
      subject: 'dana@zyx.example',
      groups: ['devsecops-change-review'],
      deviceCompliant: true,
      tenant: 'zyx-bank',
      description: 'an agent that nobody registered, for Dana',
    },
  ],
])

/** Somebody who answers for calls, or tries to. */
export interface DevelopmentPerson {
  readonly subject: string
  readonly groups: readonly string[]
  readonly description: string
}

/** The people of ZYX Bank whom `toolgate dev token` gives a token for the admin listener, by name. */
export const PEOPLE: ReadonlyMap<string, DevelopmentPerson> = new Map<string, DevelopmentPerson>([
  [
    'priya',
    {
      subject: 'priya@zyx.example',
      groups: ['change-approvers'],
      description: 'answers for changes',
    },
  ],
  [
    'noor',
    {
      subject: 'noor@zyx.example',
      groups: ['change-approvers'],
      description: 'answers for changes, where one person is not enough',
    },
  ],
  [
    'tomas',
    {
      subject: 'tomas@zyx.example',
      groups: ['change-managers'],
      description: 'answers for changes when nobody else has in time',
    },
  ],
  [
    'sofia',
    {
      subject: 'sofia@zyx.example',
      groups: ['secret-custodians'],
      description: 'answers for secrets',
    },
  ],
  [
    'rui',
    {
      subject: 'rui@zyx.example',
      groups: ['release-engineering', 'change-approvers'],
      description: 'may answer for changes, but not for those that the release agent makes for him',
    },
  ],
])
