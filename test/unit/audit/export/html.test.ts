import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { html } from '../../../../gateway/audit/export/html.ts'

it('whatever is put into a template is text, in an element and in an attribute', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (untrusted) => {
      const { text } = html`<td title="${untrusted}">${untrusted}</td>`
      const [, attribute = '', content = ''] = /^<td title="([^]*?)">([^]*)<\/td>$/.exec(text) ?? []
      expect(attribute + content).not.toMatch(/[<>"'`]/)
      const read = content.replaceAll(/&(amp|lt|gt|quot|#39|#96);/g, (_, name: string) => NAMED[name] ?? '')
      expect(read).toBe(untrusted)
    }),
    { numRuns: 50 },
  )
})

const NAMED: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
  '#96': '`',
}

it('templates nest, also in lists', () => {
  expect(html`<p>${['a<', 'b'].map((each) => html`<b>${each}</b>`)}</p>`.text).toBe(
    '<p><b>a&lt;</b><b>b</b></p>',
  )
})
