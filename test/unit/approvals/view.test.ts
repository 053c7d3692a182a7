import { hash } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Bound } from '../../../gateway/approvals/binding.ts'
import { renderView, type ViewContext } from '../../../gateway/approvals/view.ts'
import { quoted, shown } from '../../../gateway/approvals/visible.ts'

const BOUND: Bound = {
  method: 'POST',
  origin: 'https://api.github.com',
  target: '/repos/zyx/platform-infra/releases',
  headers: ['content-type', 'application/json'],
  body: Buffer.from('{"tag_name":"v1","draft":false,"assets":[],"notes":{"en":"First."}}'),
  connector: 'github',
  operation: 'github.repos/create-release',
  tenant: 'zyx-bank',
  agent: { id: 'release-agent', issuer: 'https://id.zyx.example', key: 'jkt' },
  principal: { id: 'dana@zyx.example', act: ['release-agent', 'planner'] },
  declared: { task: 't-1', rationale: 'The freeze is over.', ticket: 'CHG-1', rollbackPlan: '' },
}

const CONTEXT: ViewContext = {
  kind: 'json',
  access: 'write',
  phase: 'commit',
  environment: 'production',
  resource: {
    project: '',
    repository: 'zyx/platform-infra',
    channel: '',
    account: '',
    amount: { value: 12.5, currency: 'EUR' },
  },
  risk: 8,
  reasons: [{ code: 'hours.closed', rule: 'R043', detail: 'It is Sunday.' }],
}

const linesOf = (bound: Partial<Bound>, context: Partial<ViewContext> = {}): string[] =>
  renderView({ ...BOUND, ...bound }, { ...CONTEXT, ...context }).text.split('\n')

const withJson = (text: string): string[] => linesOf({ body: Buffer.from(text) })

/** Lines below a heading, without their indentation. */
function below(heading: string, lines: readonly string[]): string[] {
  const start = lines.findIndex((line) => line.startsWith(heading))
  const after = lines.slice(start + 1)
  const end = after.findIndex((line) => !line.startsWith(' '))
  return (end === -1 ? after : after.slice(0, end)).map((line) => line.slice(2))
}

describe('what people are shown', () => {
  it('is the whole call, who asks for whom, the risk, and what the agent says of it', () => {
    expect(renderView(BOUND, CONTEXT).text).toBe(`CALL
  operation: github.repos/create-release [write, commit]
  connector: github
  method: POST
  url: https://api.github.com/repos/zyx/platform-infra/releases
  environment: production
  repository: zyx/platform-infra
  amount: 12.5 EUR
HEADERS
  content-type: application/json
BODY 67 bytes, json, sha256 ${hash('sha256', BOUND.body, 'hex')}
  {
    "tag_name": "v1",
    "draft": false,
    "assets": [],
    "notes": {
      "en": "First."
    }
  }
ASKED BY
  agent: release-agent
  for: dana@zyx.example
  through: release-agent, planner
  tenant: zyx-bank
  vouched for by: https://id.zyx.example
  key: jkt
RISK 8 of 10
  R043 hours.closed: Changes are made in business hours only "It is Sunday."
SAID BY THE AGENT ITSELF, NOT CHECKED
  task: t-1
  ticket: CHG-1
  rationale: "The freeze is over."`)
  })

  it('is always the same for the same call, and its digest is of the text', () => {
    const { text, digest } = renderView(structuredClone(BOUND), structuredClone(CONTEXT))
    expect(text).toBe(renderView(BOUND, CONTEXT).text)
    expect(digest).toBe(hash('sha256', text, 'hex'))
  })

  it('decodes query and form field by field, in their order, and repeated ones each', () => {
    const target = '/x?b=%C3%BC+1&a=&b=2&c%ff=%zz'
    expect(below('QUERY', linesOf({ target }))).toEqual([
      'b: "ü 1"',
      'a: ""',
      'b: 2',
      '"c%ff" [as it stands: it cannot be decoded]: "%zz" [as it stands: it cannot be decoded]',
    ])
    const form = { body: Buffer.from('channel=C1&text=hello%0Aworld') }
    expect(below('BODY', linesOf(form, { kind: 'form' }))).toEqual(['channel: C1', 'text: "hello\\nworld"'])
  })

  it('shows the fields of a multipart form, and of a file its name and size', () => {
    const body = Buffer.from(
      '--b\r\nContent-Disposition: form-data; name="comment"\r\n\r\nhi there\r\n' +
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a\u202etxt.exe"\r\n\r\nMZ\r\n--b--\r\n',
    )
    const headers = ['content-type', 'multipart/form-data; boundary=b']
    expect(below('BODY', linesOf({ body, headers }, { kind: 'multipart' }))).toEqual([
      'comment: "hi there"',
      'file: file "a\\u{202e}txt.exe" [2 bytes are not shown]',
    ])
  })

  it('shows text of another type, and says of bytes that are none that they are not shown', () => {
    const opaque = (body: Buffer): string[] => below('BODY', linesOf({ body }, { kind: 'opaque' }))
    expect(opaque(Buffer.from('rm -rf /\n'))).toEqual(['"rm -rf /\\n"'])
    expect(opaque(Buffer.from([0xff, 0xd8]))).toEqual(['[the bytes are no text and are not shown]'])
  })

  it('leaves out what there is none of', () => {
    const declared = { task: '', rationale: '', ticket: '', rollbackPlan: '' }
    const lines = linesOf({ declared, headers: [], body: Buffer.alloc(0) }, { kind: 'none', reasons: [] })
    expect(lines.filter((line) => !line.startsWith(' '))).toEqual([
      'CALL',
      'BODY none',
      'ASKED BY',
      'RISK 8 of 10',
    ])
  })
})

const VISIBLE = /^[ -~\p{L}\p{M}\p{N}\p{P}\p{S}]*$/u

describe('an agent that wants to be misread', () => {
  it('cannot turn text around', () => {
    const lines = withJson('{"to":"eve\u202ekcab yap\u2066x","z":"a\u200bb\u00adc\ufeff\u3164\u2800"}')
    expect(lines).toContain('    "to": "eve\\u{202e}kcab yap\\u{2066}x",')
    expect(lines).toContain('    "z": "a\\u{200b}b\\u{ad}c\\u{feff}\\u{3164}\\u{2800}"')
  })

  it('cannot add lines, headings or fields', () => {
    const fake = 'x\nRISK 0 of 10\r\n  repository: zyx/toy\u2028BODY none\u0085\u000b'
    const lines = linesOf(
      {
        body: Buffer.from(JSON.stringify({ [fake]: fake })),
        declared: { task: '', rationale: fake, ticket: '', rollbackPlan: fake },
        principal: { id: fake, act: [fake] },
        target: `/x?${encodeURIComponent(fake)}=${encodeURIComponent(fake)}`,
      },
      { resource: { ...CONTEXT.resource, channel: fake } },
    )
    expect(lines.filter((line) => line.startsWith('RISK'))).toEqual(['RISK 8 of 10'])
    expect(lines.filter((line) => /^ *repository:/.test(line))).toEqual(['  repository: zyx/platform-infra'])
    expect(lines.filter((line) => line.startsWith('BODY'))).toHaveLength(1)
  })

  it('cannot leave its quotes, or write a remark of ours', () => {
    expect(quoted('x" [this name stands here more than once]')).toBe(
      '"x\\" [this name stands here more than once]"',
    )
    expect(quoted('\\u{202e}')).toBe('"\\\\u{202e}"')
    expect(shown('[none]')).toBe('"[none]"')
  })

  it('cannot hide a member behind another of the same name', () => {
    expect(withJson('{"draft":true,"draft":false,"dr\\u0061ft":1}').slice(-18)).toEqual(
      expect.arrayContaining([
        '    "draft": true,',
        '    "draft" [this name stands here more than once]: false,',
        '    "draft" [this name stands here more than once]: 1',
      ]),
    )
  })

  it('cannot have a number rounded', () => {
    expect(withJson('{"amount":9007199254740993,"small":1e-400}')).toEqual(
      expect.arrayContaining(['    "amount": 9007199254740993,', '    "small": 1e-400']),
    )
  })

  it('is told on for letters of two alphabets in one word, and not for a word in another', () => {
    expect(quoted('p\u0430yments')).toBe('"p\u0430yments" [letters of Latin and Cyrillic]')
    expect(quoted('платежи')).toBe('"платежи"')
    expect(quoted('Zürich')).toBe('"Zürich"')
  })

  it('cannot bury text under marks', () => {
    expect(quoted('e\u0301')).toBe('"e\u0301"')
    expect(quoted(`a${'\u0301'.repeat(4)}`)).toBe('"a\u0301\u0301\\u{301}\\u{301}"')
  })

  it('cannot push the end of a long text out of sight without it being counted and digested', () => {
    const end = 'y'.repeat(3_000)
    const digest = hash('sha256', Buffer.from(end, 'utf16le'), 'hex')
    expect(quoted('x'.repeat(2_000) + end)).toBe(
      `"${'x'.repeat(2_000)}" [3,000 more characters are not shown, sha256 of their UTF-16 ${digest}]`,
    )
  })

  it('cannot push members out of sight either', () => {
    const members = Array.from({ length: 5_000 }, (_, index) => `"m${index}":${index}`)
    const text = `{${members.join(',')}}`
    const lines = below('BODY', withJson(text))
    expect(lines.length).toBeLessThan(410)
    const [, count, digest] =
      /^\[([\d,]+) more bytes are not shown, their sha256 (\w+)\]$/.exec(lines.at(-1) ?? '') ?? []
    const rest = text.slice(text.length - Number(count?.replaceAll(',', '')))
    expect(digest).toBe(hash('sha256', rest, 'hex'))
    expect(lines.at(-2)).toBe('  "m398": 398,')
    expect(rest.startsWith('"m399"')).toBe(true)
  })

  it('cannot make a large view: a megabyte is shown in some kilobytes, and soon', () => {
    const body = Buffer.from(JSON.stringify({ a: 'x'.repeat(500_000), b: Array(50_000).fill('\u202e') }))
    const startedMs = performance.now()
    expect(renderView({ ...BOUND, body }, CONTEXT).text.length).toBeLessThan(40_000)
    expect(performance.now() - startedMs).toBeLessThan(5_000)
  })

  it('can write what it likes: every value is told from every other, in visible ASCII or letters', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 8 }),
        fc.string({ unit: 'binary', maxLength: 8 }),
        (one, other) => {
          expect(shown(one) === shown(other)).toBe(one === other)
          expect(VISIBLE.test(shown(one))).toBe(true)
        },
      ),
    )
  })
})
