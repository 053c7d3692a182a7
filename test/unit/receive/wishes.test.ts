import { describe, expect, it } from 'vitest'
import { HeaderList } from '../../../gateway/lib/header-list.ts'
import { readWishes, type Wishes } from '../../../gateway/listen/rules/wishes.ts'

const ID = '019aa5b2-0000-7000-8000-000000000000'

function wishes(...flat: string[]): Wishes | string {
  const verdict = readWishes(new HeaderList(flat))
  return verdict.ok ? verdict.value : verdict.refusal.code
}

const NONE = { approval: '', waitMs: 0, respondAsync: false }

describe('what an agent asks of the gateway', () => {
  it('is nothing for nearly every call', () => {
    expect(wishes('Host', 'x')).toEqual(NONE)
  })

  it('is an approval by its id', () => {
    expect(wishes('Toolgate-Approval', ID)).toEqual({ ...NONE, approval: ID })
  })

  it.each([
    'x',
    ID.toUpperCase(),
    ID.replace('-7', '-4'),
    `${ID} `,
    `${ID},${ID}`,
    `{${ID}}`,
    'a'.repeat(10_000),
  ])('never another text as an approval: %s', (text) => {
    expect(wishes('Toolgate-Approval', text)).toBe('request.malformed')
  })

  it('never two approvals', () => {
    expect(wishes('Toolgate-Approval', ID, 'toolgate-approval', ID)).toBe('request.malformed')
  })

  it('is to wait, or to be answered at once, as RFC 7240 spells it', () => {
    expect(wishes('Prefer', 'wait=10')).toEqual({ ...NONE, waitMs: 10_000 })
    expect(wishes('Prefer', 'respond-async')).toEqual({ ...NONE, respondAsync: true })
    expect(wishes('Prefer', 'Respond-Async, Wait = "10" ; foo="b"')).toEqual({
      ...NONE,
      waitMs: 10_000,
      respondAsync: true,
    })
    expect(wishes('Prefer', 'return=minimal', 'Prefer', 'wait=5')).toEqual({ ...NONE, waitMs: 5_000 })
  })

  it('is the first of two waits, and none where it is no number', () => {
    expect(wishes('Prefer', 'wait=5, wait=500')).toEqual({ ...NONE, waitMs: 5_000 })
    for (const value of [
      'wait',
      'wait=-1',
      'wait=1.5',
      'wait=1e9',
      'wait=99999999',
      ',,;',
      `wait=1${' '.repeat(600)}`,
    ])
      expect(wishes('Prefer', value)).toEqual(NONE)
  })
})
