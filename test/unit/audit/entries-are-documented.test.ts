import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'

const FOLDER = 'gateway/audit'
const SOURCES = ['entry.ts', 'entry-fields.ts', 'change-entry.ts']

it('every field of every entry is in ENTRIES.md, in its order, and nothing else', async () => {
  const sources = await Promise.all(SOURCES.map((name) => readFile(`${FOLDER}/${name}`, 'utf8')))
  const page = await readFile(`${FOLDER}/ENTRIES.md`, 'utf8')
  const inCode = fieldsInCode(sources.join('\n'))
  expect(inCode.size).toBeGreaterThan(15)
  expect(fieldsOnPage(page)).toEqual(inCode)
})

/** `Entry `start`` or `Group `who`` to the names of its fields, `?` behind those that may be left out. */
function fieldsInCode(source: string): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const [, name = '', kind, body = ''] of source.matchAll(
    /^export interface (\w+)(Entry|Fields) \{\n([^]*?)\n\}$/gm,
  )) {
    const title = `${kind === 'Entry' ? 'Entry' : 'Group'} \`${name.toLowerCase()}\``
    found.set(title, [...body.matchAll(/^ {2}readonly (\w+\??):/gm)].map(([, field = '']) => field).sort())
  }
  return found
}

function fieldsOnPage(page: string): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const section of page.split(/^### /m).slice(1)) {
    const [title = ''] = section.split('\n', 1)
    const rows = [...section.matchAll(/^\| `(\w+)` \| (optional)?/gm)]
    found.set(title, rows.map(([, field = '', optional]) => (optional ? `${field}?` : field)).sort())
  }
  return found
}
