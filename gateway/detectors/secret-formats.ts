import { passesCrc32Base62 } from './check-digits.ts'
import type { SecretName } from './findings.ts'
import { isAlphanumeric, type TextRule } from './text-rule.ts'

/**
 * Formats of credentials that tell themselves by a prefix. A shape says no more of a token than it takes to know it:
 * how it goes on after that is nobody's business, and would cost time.
 */
interface Format {
  readonly name: SecretName
  /** Each is looked for. */
  readonly prefixes: readonly string[]
  /** What follows the prefix; sticky, bounded, and with one way to match. */
  readonly shape: RegExp
  /** The prefix is also an ordinary end of a word, so nothing alphanumeric may stand before it. */
  readonly alone?: true
  readonly anyCase?: true
  /** Is given the match of `shape`. */
  readonly verify?: (matched: string) => boolean
}

const FORMATS: readonly Format[] = [
  {
    name: 'github_token',
    prefixes: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'],
    shape: /[A-Za-z0-9]{36}(?![A-Za-z0-9])/y,
    verify: passesCrc32Base62,
  },
  { name: 'github_token', prefixes: ['github_pat_'], shape: /[A-Za-z0-9]{22}_[A-Za-z0-9]{59}/y },
  {
    name: 'gitlab_token',
    prefixes: ['glpat-', 'gldt-', 'glrt-', 'glptt-', 'glcbt-', 'glsoat-', 'glimt-', 'glagent-'],
    shape: /[A-Za-z0-9_-]{20}/y,
  },
  {
    name: 'slack_token',
    prefixes: ['xoxb-', 'xoxp-', 'xoxa-', 'xoxs-', 'xoxo-', 'xoxr-'],
    shape: /(?:2-)?\d{9,14}-[0-9A-Za-z-]{10}/y,
  },
  { name: 'slack_token', prefixes: ['xoxe.xox', 'xoxe-'], shape: /[bp1]-[0-9A-Za-z-]{20}/y },
  { name: 'slack_token', prefixes: ['xapp-'], shape: /\d-[A-Z0-9]{9,12}-\d{9,14}-[a-f0-9]{32}/y },
  {
    name: 'slack_webhook',
    prefixes: ['hooks.slack.com/'],
    shape: /(?:services|workflows|triggers)\/[A-Z0-9]{8,14}\/[A-Za-z0-9/]{20}/y,
  },
  {
    name: 'aws_access_key',
    prefixes: ['AKIA', 'ASIA', 'ABIA', 'ACCA'],
    shape: /[A-Z2-7]{16}(?![A-Za-z0-9])/y,
    alone: true,
    // So ends the one that the vendor prints in every manual.
    verify: (matched) => !matched.endsWith('EXAMPLE'),
  },
  {
    name: 'aws_secret_key',
    prefixes: ['secret_access_key', 'secretaccesskey'],
    shape: /["'\\]{0,2}\s{0,4}[:=>]{1,2}\s{0,4}["'\\]{0,2}[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])/y,
    anyCase: true,
    verify: (matched) => !matched.endsWith('EXAMPLEKEY'),
  },
  { name: 'azure_storage_key', prefixes: ['AccountKey='], shape: /[A-Za-z0-9+/]{86}==/y },
  { name: 'google_api_key', prefixes: ['AIza'], shape: /[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])/y, alone: true },
  { name: 'google_oauth_secret', prefixes: ['GOCSPX-'], shape: /[A-Za-z0-9_-]{28}/y },
  { name: 'google_oauth_token', prefixes: ['ya29.'], shape: /[A-Za-z0-9_-]{30}/y, alone: true },
  {
    name: 'stripe_key',
    prefixes: ['sk_live_', 'rk_live_', 'sk_test_', 'rk_test_'],
    shape: /[A-Za-z0-9]{20}/y,
    alone: true,
  },
  { name: 'stripe_webhook_secret', prefixes: ['whsec_'], shape: /[A-Za-z0-9+/]{32}/y },
  {
    name: 'private_key',
    prefixes: ['-----BEGIN '],
    shape: /(?:RSA |EC |DSA |OPENSSH |ENCRYPTED |PGP |ANY )?PRIVATE KEY(?: BLOCK)?-----/y,
  },
  { name: 'private_key', prefixes: ['PuTTY-User-Key-File-'], shape: /[23]:/y },
  { name: 'private_key', prefixes: ['AGE-SECRET-KEY-1'], shape: /[0-9AC-HJ-NP-Z]{58}/y },
  {
    name: 'atlassian_token',
    prefixes: ['ATATT3', 'ATCTT3'],
    shape: /[A-Za-z0-9_=-]{100}/y,
    alone: true,
  },
  { name: 'npm_token', prefixes: ['npm_'], shape: /[A-Za-z0-9]{36}(?![A-Za-z0-9])/y, alone: true },
  { name: 'pypi_token', prefixes: ['pypi-AgEIcHlwaS5vcmc'], shape: /[A-Za-z0-9_-]{50}/y },
  {
    name: 'anthropic_key',
    prefixes: ['sk-ant-'],
    shape: /(?:api|admin|oat|sid)\d\d-[A-Za-z0-9_-]{80}/y,
  },
  { name: 'huggingface_token', prefixes: ['hf_'], shape: /[A-Za-z]{34}(?![A-Za-z0-9])/y, alone: true },
  { name: 'sendgrid_key', prefixes: ['SG.'], shape: /[\w-]{22}\.[\w-]{43}/y, alone: true },
  {
    name: 'shopify_token',
    prefixes: ['shpat_', 'shpss_', 'shppa_', 'shpca_'],
    shape: /[a-fA-F0-9]{32}/y,
  },
  { name: 'digitalocean_token', prefixes: ['dop_v1_', 'doo_v1_'], shape: /[a-f0-9]{64}/y },
  { name: 'databricks_token', prefixes: ['dapi'], shape: /[a-f0-9]{32}(?![A-Za-z0-9])/y, alone: true },
  { name: 'vault_token', prefixes: ['hvs.', 'hvb.'], shape: /[A-Za-z0-9_-]{24}/y, alone: true },
  { name: 'grafana_token', prefixes: ['glsa_'], shape: /[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}/y },
  { name: 'docker_token', prefixes: ['dckr_pat_'], shape: /[A-Za-z0-9_-]{27}/y },
  { name: 'linear_token', prefixes: ['lin_api_'], shape: /[A-Za-z0-9]{40}/y },
  { name: 'postman_key', prefixes: ['PMAK-'], shape: /[a-f0-9]{24}-[a-f0-9]{34}/y, alone: true },
  { name: 'newrelic_key', prefixes: ['NRAK-'], shape: /[A-Z0-9]{27}/y, alone: true },
  { name: 'terraform_token', prefixes: ['.atlasv1.'], shape: /[A-Za-z0-9_=-]{60}/y },
  { name: 'rubygems_token', prefixes: ['rubygems_'], shape: /[a-f0-9]{48}/y },
  { name: 'sentry_token', prefixes: ['sntrys_eyJ', 'sntryu_'], shape: /[A-Za-z0-9+/=_-]{60}/y },
  // Placeholders hold what no password of an address may: brackets, a dollar, a star.
  {
    name: 'url_password',
    prefixes: ['://'],
    shape: /[\w.~%+-]{1,64}:[\w.~%!&,;=+-]{4,128}@[A-Za-z0-9[]/y,
    verify: (matched) => !/:(?:x-oauth-basic|password|pass(?:wd)?|x{4,})@/i.test(matched),
  },
]

/** By the start of its literal rather than by a prefix. */
const SPECIAL: readonly TextRule[] = [
  { name: 'jwt', literal: 'eyJ', anyCase: false, matches: isJwt },
  { name: 'openai_key', literal: 'T3BlbkFJ', anyCase: false, matches: isOpenAiKey },
  { name: 'telegram_token', literal: ':AA', anyCase: false, matches: isTelegramToken },
]

export const SECRET_RULES: readonly TextRule[] = [...FORMATS.flatMap(rulesOf), ...SPECIAL]

function rulesOf(format: Format): TextRule[] {
  const { name, prefixes, shape, alone = false, anyCase = false, verify } = format
  return prefixes.map((literal) => ({
    name,
    literal,
    anyCase,
    matches(text, start) {
      if (alone && start > 0 && isAlphanumeric(text.charCodeAt(start - 1))) return false
      const begin = start + literal.length
      shape.lastIndex = begin
      if (!shape.test(text)) return false
      return verify === undefined || verify(text.slice(begin, shape.lastIndex))
    },
  }))
}

const JWT = /eyJ([A-Za-z0-9_-]{10,1024})\.eyJ[A-Za-z0-9_-]{6,8192}\.[A-Za-z0-9_-]{16}/y
const TOKEN_CHARACTER = /[A-Za-z0-9_-]/

/** Only where a run of its characters begins: else a run of many `eyJ` would be walked through from each of them. */
function isJwt(text: string, start: number): boolean {
  if (start > 0 && TOKEN_CHARACTER.test(text.charAt(start - 1))) return false
  JWT.lastIndex = start
  const header = JWT.exec(text)?.[1]
  if (header === undefined) return false
  return Buffer.from(`eyJ${header}`, 'base64url').includes('"alg"')
}

const OPENAI_BEGIN = /^sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{16,80}$/
const OPENAI_END = /[A-Za-z0-9_-]{20}/y

function isOpenAiKey(text: string, start: number): boolean {
  OPENAI_END.lastIndex = start + 8
  if (!OPENAI_END.test(text)) return false
  const before = text.slice(Math.max(0, start - 96), start)
  const begin = before.lastIndexOf('sk-')
  return begin !== -1 && OPENAI_BEGIN.test(before.slice(begin))
}

const TELEGRAM_END = /[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])/y

function isTelegramToken(text: string, start: number): boolean {
  TELEGRAM_END.lastIndex = start + 3
  return TELEGRAM_END.test(text) && /(?<![\d.])\d{8,10}$/.test(text.slice(Math.max(0, start - 11), start))
}
