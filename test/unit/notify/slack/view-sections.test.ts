import { assert, constantFrom, property, string } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blocksError } from '../../../../connectors/slack/fake/blocks.ts'
import { viewSections } from '../../../../gateway/notify/slack/view-sections.ts'

const FENCED = /^```\n([^]*)\n```$/

/** What a reader of the message sees of the view; throws where a fence is closed early. */
function seen(view: string): string {
  return viewSections(view)
    .sections.map(({ text }) => {
      const inside = FENCED.exec(text.text)?.[1]
      if (inside === undefined || inside.includes('``')) throw new Error('a fence does not hold')
      return inside
        .replaceAll('\u200b', '')
        .replaceAll('&lt;', '<')
        .replaceAll('&gt;', '>')
        .replaceAll('&amp;', '&')
    })
    .join('\n')
}

/** As Slack sends a message back: JSON with all but ASCII escaped, in a form. */
function echoBytes(sections: readonly object[]): number {
  const json = JSON.stringify(sections)
    .replaceAll('/', '\\/')
    .replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return new URLSearchParams({ payload: json }).toString().length
}

const anyText = string({
  unit: constantFrom('a', 'é', '字', '😀', '&', '<', '`', '"', '\\', '\n', ' '),
  maxLength: 20_000,
})

describe('what approvers are shown in Slack', () => {
  it('is the view, letter by letter, as far as it is shown', () => {
    const pieces = ['CALL', '  url: "https://a.example/?a=1&b=<!channel>"', '  `` ``` ````', 'BODY 字 😀']
    const view = pieces.join('\n')
    expect(viewSections(view)).toMatchObject({ isWhole: true, shownCharacters: view.length })
    expect(seen(view)).toBe(view)
  })

  it('never closes its fence, never says more than the view, and fits what Slack takes and sends back', () => {
    assert(
      property(anyText, (view) => {
        const { sections, shownCharacters, isWhole } = viewSections(view)
        expect(sections.length === 0 ? undefined : blocksError(sections)).toBe(undefined)
        expect(isWhole).toBe(shownCharacters === view.length)
        // Between two pieces there is a line break to the eye, whether or not the view has one.
        const shown = seen(view).replaceAll('\n', '')
        expect(view.slice(0, shownCharacters).replaceAll('\n', '')).toBe(shown)
        expect(echoBytes(sections)).toBeLessThan(42_000)
      }),
      { numRuns: 300 },
    )
  })

  it.each([
    ['ASCII', 'a'.repeat(100_000)],
    ['what is escaped three times', '&<"'.repeat(30_000)],
    ['characters beyond the first plane', '😀'.repeat(30_000)],
  ])('of %s without end is cut, and says so', (_, view) => {
    const { sections, isWhole } = viewSections(view)
    expect(isWhole).toBe(false)
    expect(sections.length).toBeGreaterThan(0)
    expect(blocksError(sections)).toBe(undefined)
    expect(echoBytes(sections)).toBeLessThan(42_000)
  })
})
