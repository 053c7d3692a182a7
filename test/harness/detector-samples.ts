import { crc32 } from 'node:zlib'
import { createSign, generateKeyPairSync } from 'node:crypto'
import type { PiiName, SecretName } from '../../gateway/detectors/findings.ts'

const ALPHANUMERIC = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** `length` characters that look random and never change, so that no real credential has to stand in a test. */
function some(length: number, alphabet = ALPHANUMERIC): string {
  let text = ''
  for (let index = 0; index < length; index += 1) text += alphabet[(index * 7 + 3) % alphabet.length]
  return text
}

const HEX = 'a1b2c3d4e5f60789'
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

export function gitHubToken(prefix = 'ghp_', random = some(30)): string {
  let sum = crc32(random)
  let check = ''
  for (let index = 0; index < 6; index += 1) {
    check = `${BASE62[sum % 62]}${check}`
    sum = Math.floor(sum / 62)
  }
  return prefix + random + check
}

function jwt(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${part({ alg: 'ES256', typ: 'JWT' })}.${part({ sub: 'mira', exp: 1 })}`
  const signature = createSign('sha256').update(input).sign({ key: privateKey, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

/** One credential of each format, put together here. */
export const SECRETS: Readonly<Record<Exclude<SecretName, 'high_entropy' | 'unscanned'>, string>> = {
  anthropic_key: `sk-ant-api03-${some(93)}AA`,
  atlassian_token: `ATATT3${some(180)}=1A2B3C4D`,
  aws_access_key: `AKIA${some(16, UPPER)}`,
  aws_secret_key: `"aws_secret_access_key": "${some(40)}"`,
  azure_storage_key: `AccountKey=${some(86)}==`,
  databricks_token: `dapi${some(32, HEX)}`,
  digitalocean_token: `dop_v1_${some(64, HEX)}`,
  docker_token: `dckr_pat_${some(27)}`,
  github_token: gitHubToken(),
  gitlab_token: `glpat-${some(20)}`,
  google_api_key: `AIza${some(35)}`,
  google_oauth_secret: `GOCSPX-${some(28)}`,
  google_oauth_token: `ya29.${some(60)}`,
  grafana_token: `glsa_${some(32)}_${some(8, HEX)}`,
  huggingface_token: `hf_${some(34, 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ')}`,
  jwt: jwt(),
  linear_token: `lin_api_${some(40)}`,
  newrelic_key: `NRAK-${some(27, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789')}`,
  npm_token: `npm_${some(36)}`,
  openai_key: `sk-proj-${some(74)}T3BlbkFJ${some(74)}`,
  postman_key: `PMAK-${some(24, HEX)}-${some(34, HEX)}`,
  private_key: '-----BEGIN RSA PRIVATE KEY-----\nMIIE',
  pypi_token: `pypi-AgEIcHlwaS5vcmc${some(60)}`,
  rubygems_token: `rubygems_${some(48, HEX)}`,
  sendgrid_key: `SG.${some(22)}.${some(43)}`,
  sentry_token: `sntryu_${some(64, HEX)}`,
  shopify_token: `shpat_${some(32, HEX)}`,
  slack_token: `xoxb-${some(11, '123456789')}-${some(13, '123456789')}-${some(24)}`,
  slack_webhook: `https://hooks.slack.com/services/T${some(9, UPPER)}/B${some(9, UPPER)}/${some(24)}`,
  stripe_key: `sk_live_${some(24)}`,
  stripe_webhook_secret: `whsec_${some(32)}`,
  telegram_token: `${some(10, '123456789')}:AA${some(33)}`,
  terraform_token: `${some(14)}.atlasv1.${some(64)}`,
  url_password: 'postgres://ledger:Tr0ub4dor@db.zyx.example/main',
  vault_token: `hvs.${some(90)}`,
}

/** Numbers that the issuers themselves, or the standards, print as examples. */
export const PERSONAL: Readonly<Record<PiiName, readonly string[]>> = {
  card: [
    '4111111111111111',
    '4111 1111 1111 1111',
    '5555-5555-5555-4444',
    '378282246310005',
    '3782 822463 10005',
    '6011111111111117',
    '3530111333300000',
    '30569309025904',
    '2223003122003222',
    '4222222222222',
  ],
  email: ['dana@zyx.example', 'first.last+tag@sub.zyx-bank.ch'],
  iban: [
    'CH93 0076 2011 6238 5295 7',
    'CH9300762011623852957',
    'DE89370400440532013000',
    'GB29 NWBK 6016 1331 9268 19',
    'MT84MALT011000012345MTLCAST001S',
    'NO9386011117947',
  ],
  swiss_ahv: ['756.9217.0769.85', '7569217076985', '756.1234.5678.97'],
  us_ssn: ['536-90-4399', '219-09-9998', '536 90 4399'],
}
