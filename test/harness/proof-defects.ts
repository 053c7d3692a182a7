import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { createProofKey, defined, encode, signCompact, signEncoded } from './signing.ts'
import type { Json, ProofKey } from './signing.ts'

export interface ProofDraft {
  readonly header: Json
  readonly claims: Json
  readonly key: ProofKey
}

type Break = (draft: ProofDraft) => string

const header =
  (members: (draft: ProofDraft) => Json): Break =>
  (draft) =>
    signCompact(defined({ ...draft.header, ...members(draft) }), draft.claims, draft.key)

const claims =
  (members: (draft: ProofDraft) => Json): Break =>
  (draft) =>
    signCompact(draft.header, defined({ ...draft.claims, ...members(draft) }), draft.key)

const mangled =
  (mangle: (compact: string) => string): Break =>
  ({ header, claims, key }) =>
    mangle(signCompact(header, claims, key))

/** Ways for a proof to be wrong, each in exactly one thing; all else stays valid, the signature included. */
export const PROOF_DEFECTS = {
  'typ is absent': header(() => ({ typ: undefined })),
  'typ is JWT': header(() => ({ typ: 'JWT' })),
  'alg is none': (draft) => `${encode({ ...draft.header, alg: 'none' })}.${encode(draft.claims)}.`,
  'alg is HS256, keyed with the public key': (draft) => {
    const input = `${encode({ ...draft.header, alg: 'HS256' })}.${encode(draft.claims)}`
    const secret = JSON.stringify(draft.key.publicJwk)
    return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`
  },
  'alg does not fit the key': header(() => ({ alg: 'EdDSA' })),
  'alg is unknown': header(() => ({ alg: 'ES256K' })),
  'jwk is absent': header(() => ({ jwk: undefined })),
  'jwk is a string': header(() => ({ jwk: 'key' })),
  'jwk is private': header(({ key }) => ({ jwk: key.privateJwk })),
  'jwk carries a symmetric secret': header(({ key }) => ({ jwk: { ...key.publicJwk, k: 'c2VjcmV0' } })),
  'jwk is another key': header(() => ({ jwk: createProofKey().publicJwk })),
  'jwk is RSA of 1024 bits': (draft) => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const jwk = publicKey.export({ format: 'jwk' })
    const input = `${encode({ ...draft.header, alg: 'RS256', jwk })}.${encode(draft.claims)}`
    return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`
  },
  'crit names an extension': header(() => ({ crit: ['b64'], b64: true })),
  'jku points somewhere': header(() => ({ jku: 'https://attacker.example/jwks' })),
  'x5u points somewhere': header(() => ({ x5u: 'https://attacker.example/cert' })),
  'signed by another key': (draft) => signCompact(draft.header, draft.claims, createProofKey()),
  'signature is flipped': mangled((compact) => {
    const last = compact.lastIndexOf('.') + 1
    return compact.slice(0, last) + (compact[last] === 'A' ? 'B' : 'A') + compact.slice(last + 1)
  }),
  'signature is empty': mangled((compact) => compact.slice(0, compact.lastIndexOf('.') + 1)),
  'signature is DER': ({ header, claims, key }) => {
    const input = `${encode(header)}.${encode(claims)}`
    return `${input}.${sign('sha256', Buffer.from(input), key.privateKey).toString('base64url')}`
  },
  'padded base64': mangled((compact) => `${compact}==`),
  'space in the signature': mangled((compact) => `${compact.slice(0, -4)} ${compact.slice(-4)}`),
  'not canonical base64url': mangled((compact) => compact.slice(0, -1) + nextCharacter(compact.slice(-1))),
  'two parts': mangled((compact) => compact.slice(0, compact.lastIndexOf('.'))),
  'five parts': mangled((compact) => `${compact}.AAAA.AAAA`),
  'header is not JSON': ({ claims, key }) =>
    signEncoded(Buffer.from('{typ}').toString('base64url'), encode(claims), key),
  'claims are an array': ({ header, claims, key }) => signEncoded(encode(header), encode([claims]), key),
  'a claim twice': ({ header, claims, key }) => {
    const twice = JSON.stringify(claims).replace('{', '{"htm":"DELETE",')
    return signEncoded(encode(header), Buffer.from(twice).toString('base64url'), key)
  },
  'jti is absent': claims(() => ({ jti: undefined })),
  'jti is empty': claims(() => ({ jti: '' })),
  'jti is a number': claims(() => ({ jti: 1 })),
  'jti is 257 characters': claims(() => ({ jti: 'j'.repeat(257) })),
  'htm is absent': claims(() => ({ htm: undefined })),
  'htm is another method': claims(() => ({ htm: 'DELETE' })),
  'htm is in lower case': claims((draft) => ({ htm: String(draft.claims['htm']).toLowerCase() })),
  'htu is absent': claims(() => ({ htu: undefined })),
  'htu is another path': claims((draft) => ({ htu: `${String(draft.claims['htu'])}/other` })),
  'htu is another origin': claims((draft) => ({
    htu: new URL(new URL(String(draft.claims['htu'])).pathname, 'https://other.example').href,
  })),
  'htu is not a URL': claims(() => ({ htu: '/path' })),
  'iat is absent': claims(() => ({ iat: undefined })),
  'iat is a string': claims((draft) => ({ iat: String(draft.claims['iat']) })),
  'iat is an hour old': claims((draft) => ({ iat: Number(draft.claims['iat']) - 3600 })),
  'iat is an hour ahead': claims((draft) => ({ iat: Number(draft.claims['iat']) + 3600 })),
  'ath is absent': claims(() => ({ ath: undefined })),
  'ath is of another token': claims(() => ({ ath: 'A'.repeat(43) })),
} as const satisfies Record<string, Break>

export type ProofDefect = keyof typeof PROOF_DEFECTS

export function breakProof(defect: ProofDefect, draft: ProofDraft): string {
  return PROOF_DEFECTS[defect](draft)
}

/** The last character of 86 carries four unused bits; its neighbour decodes to the same octets. */
function nextCharacter(character: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet[alphabet.indexOf(character) ^ 1] ?? 'A'
}
