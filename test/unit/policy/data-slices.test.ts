import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { joinSlices, slicesAt } from '../../../gateway/policy/bundles/data-slices.ts'

const slices = (json: string, ...paths: string[]): Record<string, string> =>
  Object.fromEntries(
    [...slicesAt(Buffer.from(json), new Set(paths))].map(([path, text]) => [path, String(text)]),
  )

test('what lies at a path is cut out byte for byte', () => {
  const json =
    ' { "registry" : {\n"agents":{"a": 2.50, "b":[1e2, 9007199254740993, "}]\\"{"]} ,"roles": -0.0},"x":"é" } '
  expect(slices(json, 'registry/agents', 'registry/roles', 'x', 'nowhere')).toEqual({
    'registry/agents': '{"a": 2.50, "b":[1e2, 9007199254740993, "}]\\"{"]}',
    'registry/roles': '-0.0',
    x: '"é"',
  })
})

test('a name is found however it is spelt', () => {
  expect(slices('{"\\u0061g\\u0065nts": true}', 'agents')).toEqual({ agents: 'true' })
})

test('what is cut out and joined again means the same as before', () => {
  const name = fc.stringMatching(/^[\w-]{1,6}$/)
  const branch = fc.dictionary(name, fc.json(), { maxKeys: 4 })
  fc.assert(
    fc.property(
      fc.dictionary(name, branch, { maxKeys: 4 }),
      fc.constantFrom('', ' ', '\n\t '),
      (tree, space) => {
        const text = `{${Object.entries(tree)
          .map(([top, values]) => {
            const members = Object.entries(values).map(
              ([at, json]) => `${JSON.stringify(at)}${space}:${space}${json}`,
            )
            return `${JSON.stringify(top)}:${space}{${members.join(`${space},`)}${space}}`
          })
          .join(',')}}`
        const paths = Object.entries(tree).flatMap(([top, values]) =>
          Object.keys(values).map((at) => `${top}/${at}`),
        )
        const cut = slicesAt(Buffer.from(text), new Set(paths))
        for (const [path, json] of cut) {
          const [top = '', at = ''] = path.split('/')
          expect(String(json)).toBe(tree[top]?.[at]?.trim())
        }
        const kept = Object.entries(tree).filter(([, values]) => Object.keys(values).length > 0)
        expect(JSON.parse(String(joinSlices(cut)))).toEqual(
          Object.fromEntries(kept.map(([top]) => [top, (JSON.parse(text) as Record<string, unknown>)[top]])),
        )
      },
    ),
  )
})
