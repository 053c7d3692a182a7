import { expect, it } from 'vitest'
import { textIn } from '../../../gateway/detectors/encoded-text.ts'
import { FINDING_NAMES } from '../../../gateway/detectors/findings.ts'
import { PERSONAL, SECRETS } from '../../harness/detector-samples.ts'
import { namesIn, search } from './search.ts'

/** A text is read in pieces of so many characters. */
const PIECE = 4_096

it.each(['plain ', 'größer '])(
  'finds a secret at the end of one piece and the start of the next: %s',
  (filler) => {
    const secret = SECRETS.gitlab_token
    const before = filler.repeat(PIECE)
    for (let over = -2; over <= secret.length + 2; over += 1) {
      const text = `${before.slice(0, PIECE - over - 1)} ${secret} ${filler}`
      expect(search(text).secrets).toEqual(['gitlab_token'])
    }
  },
)

it('finds personal data across two pieces, numbers and addresses alike', () => {
  const [card = ''] = PERSONAL.card
  const [email = ''] = PERSONAL.email
  for (let over = 0; over <= card.length; over += 1) {
    expect(search(`${' '.repeat(PIECE - over)}${card} ok`).pii).toEqual(['card'])
    expect(search(`${' '.repeat(PIECE - over)}${email} ok`).pii).toEqual(['email'])
  }
})

it('finds what is hidden where it begins in one piece and ends in the next', () => {
  const hidden = '\u200b'.repeat(40)
  for (let over = 0; over <= hidden.length; over += 1)
    expect(search(`${'a'.repeat(PIECE - over)}${hidden}b`).injection).toEqual(['hidden_text'])
})

it('goes on behind characters above ASCII that end with a piece', () => {
  const secret = SECRETS.gitlab_token
  expect(search(`${'é'.repeat(PIECE)} ${secret}`).secrets).toEqual(['gitlab_token'])
  expect(search(`${'é'.repeat(PIECE * 2 - 1)} ${secret}`).secrets).toEqual(['gitlab_token'])
})

it.each(['', 'x'.repeat(100), 'é'.repeat(100)])('takes nothing of one text into the next', (before) => {
  const secret = SECRETS.gitlab_token
  const half = Math.ceil(secret.length / 2)
  expect(namesIn(before + secret.slice(0, half))).toEqual([])
  expect(namesIn(secret.slice(half))).toEqual([])
})

it('tells from its first characters what a run of base64 stands for as its decoder does', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_'
  for (let seed = 1; seed <= 400; seed += 1) {
    const bytes = Buffer.from(Array.from({ length: 30 }, (_, at) => (seed * 7919 + at * 104_729) % 256))
    const text = Buffer.from(Array.from({ length: 30 }, (_, at) => 0x20 + ((seed + at * 31) % 95)))
    const random = Array.from(
      { length: 40 },
      (_, at) => alphabet[(seed * 31 + at * at * 17) % alphabet.length],
    )
    for (const run of [bytes.toString('base64'), bytes.toString('base64url'), text.toString('base64url')])
      expect(textIn(run)).toEqual(decoded(run))
    expect(textIn(random.join(''))).toEqual(decoded(random.join('')))
  }
})

it('has a name for everything that it finds in pieces', () => {
  const text = `${' '.repeat(PIECE - 20)}${Object.values(SECRETS).join(' ')}`
  expect(search(text).secrets).toEqual(
    FINDING_NAMES.secrets.filter((name) => name !== 'high_entropy' && name !== 'unscanned'),
  )
})

function decoded(run: string): string | undefined {
  const bytes = Buffer.from(run, 'base64')
  const isText = bytes.every((byte) => (byte >= 0x20 && byte !== 0x7f) || [0x09, 0x0a, 0x0d].includes(byte))
  return isText ? bytes.toString('utf8') : undefined
}
