import { createHmac } from 'node:crypto'
import type { Issuer, TokenOptions } from './issuer.ts'
import { createProofKey } from './proof.ts'
import { encode, signCompact, type Json } from './signing.ts'

/** What a token that is right in every way is made from. */
export interface TokenDraft {
  readonly issuer: Issuer
  /** Thumbprint of the key that the proof is signed with. */
  readonly jkt: string
  readonly claims: Json
}

type Break = (draft: TokenDraft) => string

const changed =
  (options: (nowSeconds: number) => TokenOptions): Break =>
  ({ issuer, jkt, claims }) => {
    const change = options(Math.floor(Date.now() / 1000))
    return issuer.token({ jkt, ...change, claims: { ...claims, ...change.claims } })
  }

const mangled =
  (mangle: (compact: string) => string): Break =>
  (draft) =>
    mangle(changed(() => ({}))(draft))

/** Ways for an RFC 9068 token to be wrong, each in exactly one thing, with the section that forbids it. */
export const TOKEN_DEFECTS = {
  'RFC 9068 §4: typ is JWT': changed(() => ({ header: { typ: 'JWT' } })),
  'RFC 9068 §4: typ is absent': changed(() => ({ header: { typ: undefined } })),
  'RFC 9068 §2.1: alg is none': (draft) => {
    const [, claims = ''] = changed(() => ({}))(draft).split('.')
    return `${encode({ typ: 'at+jwt', alg: 'none' })}.${claims}.`
  },
  'RFC 8725 §2.1: alg is HS256, keyed with the public key': (draft) => {
    const [, claims = ''] = changed(() => ({}))(draft).split('.')
    const input = `${encode({ typ: 'at+jwt', alg: 'HS256' })}.${claims}`
    const secret = JSON.stringify(draft.issuer.jwks().keys[0])
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
  },
  'RFC 7515 §5.2: signed by another key': (draft) => {
    const [header = '', claims = ''] = changed(() => ({}))(draft).split('.')
    const parse = (part: string): Json => JSON.parse(Buffer.from(part, 'base64url').toString()) as Json
    return signCompact(parse(header), parse(claims), createProofKey())
  },
  'RFC 7515 §4.1.11: crit names an extension': changed(() => ({ header: { crit: ['exp'] } })),
  'RFC 7515 §4.1.4: kid of no key': changed(() => ({ header: { kid: 'nobody' } })),
  'RFC 7515 §7.1: four parts': mangled((compact) => `${compact}.AAAA`),
  'RFC 7515 §2: padded base64': mangled((compact) => `${compact}=`),
  'RFC 9068 §4: iss is another issuer': changed(() => ({ claims: { iss: 'https://other.example' } })),
  'RFC 9068 §4: iss has a slash more': (draft) =>
    changed(() => ({ claims: { iss: `${draft.issuer.issuer}/` } }))(draft),
  'RFC 9068 §4: aud is another resource': changed(() => ({ claims: { aud: 'https://other.example' } })),
  'RFC 9068 §2.2: aud is absent': changed(() => ({ claims: { aud: undefined } })),
  'RFC 9068 §4: exp has passed': changed((now) => ({ claims: { exp: now - 60 } })),
  'RFC 9068 §2.2: exp is absent': changed(() => ({ claims: { exp: undefined } })),
  'RFC 7519 §2: exp is a text': changed((now) => ({ claims: { exp: String(now + 60) } })),
  'RFC 7519 §4.1.5: nbf is to come': changed((now) => ({ claims: { nbf: now + 3600 } })),
  'RFC 9068 §2.2: iat is absent': changed(() => ({ claims: { iat: undefined } })),
  'RFC 9068 §2.2: sub is absent': changed(() => ({ claims: { sub: undefined } })),
  'RFC 9068 §2.2: client_id is absent': changed(() => ({ claims: { client_id: undefined } })),
  'RFC 9068 §2.2: jti is absent': changed(() => ({ claims: { jti: undefined } })),
  'RFC 9449 §6: cnf is absent': changed(() => ({ jkt: undefined })),
  'RFC 9449 §6.1: cnf names another key': changed(() => ({ jkt: createProofKey().jkt })),
  'RFC 9449 §6.1: cnf is a text': changed(() => ({ claims: { cnf: 'jkt' } })),
  'RFC 7800 §3.1: cnf is null': changed(() => ({ claims: { cnf: null } })),
  'RFC 9068 §2.2.3.1: groups hold a number': changed(() => ({ claims: { groups: ['a', 7] } })),
  'RFC 9068 §2.2.3.1: groups are an object': changed(() => ({ claims: { groups: { value: 'a' } } })),
} as const satisfies Record<string, Break>

export type TokenDefect = keyof typeof TOKEN_DEFECTS
