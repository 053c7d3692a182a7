import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ListedOperation } from '../../../gateway/catalog/catalog.ts'
import type { View, ViewInput } from '../../../gateway/catalog/view.ts'
import { loadCommitted } from './catalog-harness.ts'

const catalog = loadCommitted()

function operationNamed(id: string): ListedOperation {
  const operation = catalog.operations(id.split('.')[0] ?? '').find((each) => each.id === id)
  if (operation === undefined) throw new RangeError(`${id} is not in the catalogue`)
  return operation
}

function view(id: string, input: Partial<ViewInput>): View | string {
  const none = { pathParams: {}, query: '', body: { kind: 'none' }, digest: '' } as const
  const verdict = catalog.view(operationNamed(id), { ...none, ...input })
  return verdict.ok ? verdict.value : verdict.refusal.code
}

function paramsOf(id: string, input: Partial<ViewInput>): View['params'] {
  const seen = view(id, input)
  if (typeof seen === 'string') throw new TypeError(seen)
  return seen.params
}

describe('what rules may read', () => {
  const issue = { issueIdOrKey: 'CHG-1' }

  it('is the path, the query and the top-level scalars of the body', () => {
    const value = { text: 'a', count: 2, flag: true, nothing: null, nested: { secret: 'b' }, list: ['c'] }
    const params = paramsOf('jira.addComment', {
      pathParams: issue,
      query: 'expand=x&expand=y&notify=1',
      body: { kind: 'json', value },
      digest: 'd1',
    })
    expect(params).toEqual({
      path: issue,
      query: { expand: ['x', 'y'], notify: '1' },
      body: { text: 'a', count: 2, flag: true, nothing: null },
      truncated: false,
      digest: 'd1',
    })
  })

  it('is what the connector names inside the body as well', () => {
    const value = {
      fields: { project: { key: 'CHG', avatar: 'no' }, summary: 's', description: { type: 'doc' } },
    }
    const params = paramsOf('jira.createIssue', { body: { kind: 'json', value } })
    expect(params.body).toEqual({ fields: { project: { key: 'CHG' }, summary: 's' } })
  })

  it('is the whole body where the connector says so', () => {
    const value = { ref: 'main', inputs: { environment: 'production', list: [1, { deep: 'x' }] } }
    const params = paramsOf('github.actions/create-workflow-dispatch', { body: { kind: 'json', value } })
    expect(params.body).toEqual(value)
  })

  it('is the fields of a form, and the names of the parts of a multipart body', () => {
    const form = { kind: 'form', text: 'channel=C1&text=a+b' } as const
    expect(paramsOf('slack.chat.postMessage', { body: form }).body).toEqual({ channel: 'C1', text: 'a b' })
    const parts = { kind: 'multipart', names: ['file'] } as const
    expect(paramsOf('jira.addAttachment', { pathParams: issue, body: parts }).body).toEqual({
      parts: ['file'],
    })
  })

  it('is nothing of a body that is no object', () => {
    expect(
      paramsOf('jira.addComment', { pathParams: issue, body: { kind: 'json', value: ['a'] } }).body,
    ).toEqual({})
  })

  it('says when a text was cut', () => {
    const params = paramsOf('jira.addComment', {
      pathParams: issue,
      body: { kind: 'json', value: { text: 'a'.repeat(1025) } },
    })
    expect(params.truncated).toBe(true)
    expect(params.body['text']).toHaveLength(1024)
  })

  it('is cut between characters', () => {
    const text = `${'a'.repeat(1023)}😀`
    const params = paramsOf('jira.addComment', { pathParams: issue, body: { kind: 'json', value: { text } } })
    expect(String(params.body['text']).isWellFormed()).toBe(true)
  })

  it('cannot be crowded out by padding before what the connector names', () => {
    const padding = Array.from({ length: 200 }, (_, index) => [`p${index}`, 'x'.repeat(500)])
    const value = { ...Object.fromEntries(padding), fields: { project: { key: 'CHG' } } }
    const params = paramsOf('jira.createIssue', { body: { kind: 'json', value } })
    expect(params.body['fields']).toEqual({ project: { key: 'CHG' } })
    expect(params.truncated).toBe(true)
  })

  it('says when a body is nested too deep', () => {
    let value: unknown = 'bottom'
    for (let depth = 0; depth < 20; depth += 1) value = { down: value }
    const params = paramsOf('github.actions/create-workflow-dispatch', { body: { kind: 'json', value } })
    expect(params.truncated).toBe(true)
    expect(JSON.stringify(params.body)).not.toContain('bottom')
  })

  it('has no prototype to be polluted', () => {
    const value = JSON.parse('{"__proto__": "x", "constructor": "y"}') as unknown
    const { body, query } = paramsOf('jira.addComment', {
      pathParams: issue,
      query: '__proto__=z',
      body: { kind: 'json', value },
    })
    expect(Object.getPrototypeOf(body)).toBeNull()
    expect(Object.keys(body)).toEqual(['__proto__', 'constructor'])
    expect(query['__proto__']).toBe('z')
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })

  it('stays within its bounds whatever is sent', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.webQueryParameters(), (value, query) => {
        const seen = view('github.actions/create-workflow-dispatch', { query, body: { kind: 'json', value } })
        if (typeof seen === 'string') return
        expect(JSON.stringify(seen.params).length).toBeLessThan(64 * 1024)
      }),
    )
    const wide = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, [{}, {}]]))
    const seen = paramsOf('github.actions/create-workflow-dispatch', { body: { kind: 'json', value: wide } })
    expect(JSON.stringify(seen).length).toBeLessThan(64 * 1024)
    expect(seen.truncated).toBe(true)
  })
})

describe('the resource', () => {
  it('is exact, or the call is refused', () => {
    const long = 'C'.repeat(513)
    expect(view('slack.chat.postMessage', { body: { kind: 'form', text: `channel=${long}` } })).toBe(
      'policy.input_invalid',
    )
  })

  it('folds case within ASCII only, so that no other name becomes an allowed one', () => {
    const pathParams = { owner: 'zyx', repo: '\u{212a}ernel' }
    expect(view('github.repos/get', { pathParams })).toMatchObject({
      resource: { repository: 'zyx/\u{212a}ernel' },
    })
    expect(view('jira.getIssue', { pathParams: { issueIdOrKey: 'PSS-1' } })).toMatchObject({
      resource: { project: 'PSS' },
    })
    expect(
      view('jira.createIssue', {
        body: { kind: 'json', value: { fields: { project: { key: 'P\u{df}' } } } },
      }),
    ).toMatchObject({
      resource: { project: 'P\u{df}' },
    })
  })

  it('is Unicode, or the call is refused', () => {
    const value: unknown = JSON.parse('{"channel": "\\ud800"}')
    expect(view('slack.chat.postMessage', { body: { kind: 'json', value } })).toBe('policy.input_invalid')
  })

  it('is unknown when the body cannot be seen', () => {
    const seen = view('slack.chat.postMessage', { query: 'channel=C1', body: { kind: 'opaque' } })
    expect(seen).toMatchObject({ resource: { channel: '*' } })
  })

  it('does not take a number that JSON cannot carry for the number that was sent', () => {
    const value = JSON.parse('{"spaceId": 9007199254740993}') as unknown
    expect(view('confluence.createPage', { body: { kind: 'json', value } })).toBe('policy.input_invalid')
  })

  it('does not read what is inherited', () => {
    const seen = view('slack.chat.postMessage', {
      body: { kind: 'json', value: Object.create({ channel: 'C1' }) as unknown },
    })
    expect(seen).toMatchObject({ resource: { channel: '*' } })
  })

  it('takes an array of one for the one, and of several for several', () => {
    const json = (channel: unknown): unknown =>
      view('slack.chat.postMessage', { body: { kind: 'json', value: { channel } } })
    expect(json(['C1'])).toMatchObject({ resource: { channel: 'C1' } })
    expect(json(['C1', 'C2'])).toMatchObject({ resource: { channel: '*' } })
    expect(json([['C1']])).toBe('policy.input_invalid')
    expect(json(true)).toBe('policy.input_invalid')
    expect(json(null)).toMatchObject({ resource: { channel: '*' } })
    expect(json('')).toMatchObject({ resource: { channel: '*' } })
  })

  it('reads a list that the SDK wrote as JSON into a form', () => {
    const form = (channels: string): unknown =>
      view('slack.files.completeUploadExternal', {
        body: { kind: 'form', text: `channels=${encodeURIComponent(channels)}` },
      })
    expect(form('["C1"]')).toMatchObject({ resource: { channel: 'C1' } })
    expect(form('["C1","C2"]')).toMatchObject({ resource: { channel: '*' } })
    expect(form('C1, C1')).toMatchObject({ resource: { channel: 'C1' } })
    expect(form('["C1"')).toMatchObject({ resource: { channel: '["C1"' } })
  })

  it('has no empty part of a compound name', () => {
    const seen = view('github.repos/create-using-template', {
      pathParams: { template_owner: 'zyx', template_repo: 'base' },
      body: { kind: 'json', value: { owner: '', name: 'x' } },
    })
    expect(seen).toMatchObject({ resource: { repository: 'zyx/base', account: '*' } })
  })

  it('says the same of the same call, whatever the order of its fields', () => {
    const fields = ['channel=C1', 'text=a', 'thread_ts=1', 'blocks=%5B%5D']
    fc.assert(
      fc.property(fc.shuffledSubarray(fields, { minLength: fields.length }), (shuffled) => {
        const seen = view('slack.chat.postMessage', { body: { kind: 'form', text: shuffled.join('&') } })
        expect(seen).toMatchObject({ resource: { channel: 'C1' } })
      }),
    )
  })
})

describe('the data classes of a task', () => {
  it('are those of its operations, each once, and the highest for one that is not there any more', () => {
    expect(catalog.dataClasses([])).toEqual([])
    const { dataClass } = operationNamed('github.pulls/get')
    expect(catalog.dataClasses(['github.pulls/get', 'github.pulls/list'])).toEqual([dataClass])
    expect(catalog.dataClasses(['github.pulls/get', 'removed.getAll'])).toEqual([dataClass, 'restricted'])
  })
})
