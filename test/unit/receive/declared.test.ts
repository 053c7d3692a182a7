import { describe, expect, it } from 'vitest'
import { HeaderList } from '../../../gateway/lib/header-list.ts'
import { readDeclared } from '../../../gateway/listen/rules/declared.ts'

/** As Node hands a header value over: one character for each byte. */
function onTheWire(text: string): string {
  return Buffer.from(text).toString('latin1')
}

describe('What an agent declares', () => {
  it('is empty where it declares nothing', () => {
    expect(readDeclared(new HeaderList([]))).toEqual({
      ok: true,
      value: { task: '', rationale: '', ticket: '', rollbackPlan: '' },
    })
  })

  it('is read as UTF-8', () => {
    const declared = {
      'Toolgate-Task': 'review:CHG-18422/1',
      'Toolgate-Ticket': 'CHG-18422',
      'Toolgate-Rationale': onTheWire('Prüfung der Änderung'),
      'Toolgate-Rollback-Plan': 'revert #991',
    }
    const headers = new HeaderList(Object.entries(declared).flat())
    expect(readDeclared(headers)).toEqual({
      ok: true,
      value: {
        task: 'review:CHG-18422/1',
        ticket: 'CHG-18422',
        rationale: 'Prüfung der Änderung',
        rollbackPlan: 'revert #991',
      },
    })
  })

  it.each([
    ['a task with a space', 'Toolgate-Task', 'a b'],
    ['a task too long', 'Toolgate-Task', 'a'.repeat(129)],
    ['a ticket that begins with a dash', 'Toolgate-Ticket', '-x'],
    ['a rationale too long', 'Toolgate-Rationale', 'a'.repeat(2049)],
    ['a rationale that is not UTF-8', 'Toolgate-Rationale', '\xff'],
    ['a tab', 'Toolgate-Rationale', 'a\tb'],
    ['a bidirectional override', 'Toolgate-Rationale', onTheWire('a\u202eb')],
    ['a zero-width space', 'Toolgate-Rollback-Plan', onTheWire('a\u200bb')],
    ['a line separator', 'Toolgate-Rollback-Plan', onTheWire('a\u2028b')],
    ['an invisible tag character', 'Toolgate-Rationale', onTheWire('a\u{e0041}b')],
  ])('is refused for %s', (_, name, value) => {
    expect(readDeclared(new HeaderList([name, value]))).toMatchObject({
      ok: false,
      refusal: { code: 'request.malformed' },
    })
  })
})
