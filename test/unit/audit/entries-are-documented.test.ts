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

it('every type of entry, and every value of a closed set in one, is on the page', async () => {
  const sources = await Promise.all(SOURCES.map((name) => readFile(`${FOLDER}/${name}`, 'utf8')))
  const page = await readFile(`${FOLDER}/ENTRIES.md`, 'utf8')
  const missing: string[] = []
  for (const [title, body] of interfacesIn(sources.join('\n'))) {
    const section = page.split(`### ${title}\n`)[1]?.split('\n### ')[0] ?? ''
    for (const [, field = '', values = ''] of body.matchAll(
      /^ {2}readonly (\w+)\??:\s*((?:\|?\s*'[^']+'\s*)+)$/gm,
    )) {
      const row = section.split('\n').find((line) => line.startsWith(`| \`${field}\` |`)) ?? ''
      for (const [, value = ''] of values.matchAll(/'([^']+)'/g))
        if (!row.includes(`\`${value}\``)) missing.push(`${title}, ${field}: ${value}`)
    }
  }
  expect(missing).toEqual([])
  const types = /const TYPES[^]*?\]\)/.exec(sources.join('\n'))?.[0] ?? ''
  const named = [...types.matchAll(/'(\w+)',/g)].map(([, type = '']) => type)
  expect(named.length).toBeGreaterThan(15)
  expect(named.filter((type) => !page.includes(`| \`type\` | \`${type}\` |`))).toEqual([])
})

/** `Entry `start`` or `Group `who`` to the names of its fields, `?` behind those that may be left out. */
function fieldsInCode(source: string): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const [title, body] of interfacesIn(source))
    found.set(title, [...body.matchAll(/^ {2}readonly (\w+\??):/gm)].map(([, field = '']) => field).sort())
  return found
}

function interfacesIn(source: string): [title: string, body: string][] {
  return [...source.matchAll(/^export interface (\w+)(Entry|Fields) \{\n([^]*?)\n\}$/gm)].map(
    ([, name = '', kind, body = '']) => [
      `${kind === 'Entry' ? 'Entry' : 'Group'} \`${name.toLowerCase()}\``,
      body,
    ],
  )
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
