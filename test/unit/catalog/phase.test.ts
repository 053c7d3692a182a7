import { describe, expect, it } from 'vitest'
import { phaseOf, type PhaseRule } from '../../../gateway/catalog/phase.ts'
import type { ViewInput } from '../../../gateway/catalog/view.ts'
import { loadCommitted } from './catalog-harness.ts'

const catalog = loadCommitted()

function phase(id: string, input: Partial<ViewInput> = {}): string {
  const operation = catalog.operations(id.split('.')[0] ?? '').find((each) => each.id === id)
  if (operation === undefined) throw new RangeError(`${id} is not in the catalogue`)
  const viewed = catalog.view(operation, {
    pathParams: {},
    query: '',
    body: { kind: 'none' },
    digest: '',
    ...input,
  })
  return viewed.ok ? viewed.value.phase : viewed.refusal.code
}

const json = (value: unknown): Partial<ViewInput> => ({ body: { kind: 'json', value } })

describe('the phase of a call', () => {
  it('is none for most operations', () => {
    expect(phase('github.issues/create-comment', json({ draft: true }))).toBe('')
  })

  it('is what the body says of a release', () => {
    expect(phase('github.repos/create-release', json({ tag_name: 'v1', draft: true }))).toBe('prepare')
    expect(phase('github.repos/create-release', json({ tag_name: 'v1', draft: false }))).toBe('commit')
    expect(phase('github.repos/create-release', json({ tag_name: 'v1' }))).toBe('commit')
    expect(phase('github.repos/update-release', json({ name: 'First' }))).toBe('')
    expect(phase('github.repos/update-release', json({ draft: false }))).toBe('commit')
  })

  it('is what the body says of a review, a page and a post', () => {
    expect(phase('github.pulls/create-review', json({ body: 'x' }))).toBe('prepare')
    expect(phase('github.pulls/create-review', json({ event: 'APPROVE' }))).toBe('commit')
    for (const id of ['createPage', 'updatePage', 'createBlogPost', 'updateBlogPost']) {
      expect(phase(`confluence.${id}`, json({ status: 'draft', spaceId: '1' }))).toBe('prepare')
      expect(phase(`confluence.${id}`, json({ status: 'current', spaceId: '1' }))).toBe('commit')
    }
  })

  it('is the same for every call where each step is an operation of its own', () => {
    expect(phase('slack.files.getUploadURLExternal')).toBe('prepare')
    expect(phase('slack.files.completeUploadExternal')).toBe('commit')
    expect(phase('jira.updateDraftWorkflowMapping')).toBe('prepare')
    expect(phase('jira.publishDraftWorkflowScheme')).toBe('commit')
  })
})

describe('what could be read as another phase commits', () => {
  const rule: PhaseRule = { member: 'draft', prepare: [true], absent: 'none' }
  const NO_FIELDS = new Map<string, readonly string[]>()
  const of = (value: unknown, query = NO_FIELDS): string =>
    phaseOf(rule, { path: {}, query, body: { kind: 'json', value } })

  it.each([['true'], [1], [[true]], [null], [{}]])('a value that is only nearly the one: %j', (draft) => {
    expect(of({ draft })).toBe('commit')
  })

  it('a body that is no object, that is a form, or that cannot be seen', () => {
    expect(of([{ draft: true }])).toBe('commit')
    const fields = new Map([['draft', ['true']]])
    expect(phaseOf(rule, { path: {}, query: NO_FIELDS, body: { kind: 'form', fields } })).toBe('commit')
    expect(phaseOf(rule, { path: {}, query: NO_FIELDS, body: { kind: 'unseen' } })).toBe('commit')
  })

  it('a query that names it, too', () => {
    expect(of({ draft: true }, new Map([['draft', ['false']]]))).toBe('commit')
    expect(of({ draft: true }, new Map([['Draft', ['false']]]))).toBe('commit')
  })

  it('a member of the prototype is no member of the body', () => {
    expect(of({})).toBe('')
    expect(of({ ['__proto__']: { draft: true } })).toBe('')
  })
})
