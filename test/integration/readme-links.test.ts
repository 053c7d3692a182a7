/** What the pages of this repository point at: files, headings, commands and npm scripts. */
import { existsSync } from 'node:fs'
import { glob, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { REPOSITORY } from '../harness/compose-file.ts'
import { runToolgate } from '../harness/toolgate-process.ts'

const EXCLUDED = new Set(['node_modules', '.git', 'coverage', '.toolgate'])

async function pagesOf(pattern: string): Promise<Map<string, string>> {
  const pages = new Map<string, string>()
  for await (const path of glob(pattern, { cwd: REPOSITORY, exclude: (name) => EXCLUDED.has(name) }))
    pages.set(path, await readFile(join(REPOSITORY, path), 'utf8'))
  return pages
}

const pages = await pagesOf('**/*.md')

/** Text outside code, where brackets are links. */
function proseOf(markdown: string): string {
  return markdown
    .replaceAll(/^ *```.*?^ *```$/gms, '')
    .replaceAll(/`[^`\n]*`/g, (code) => (code.includes('](') ? '' : code))
}

function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** What a link of a page points at and does not exist. */
function brokenLinks(path: string, markdown: string): string[] {
  const inline = [...proseOf(markdown).matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)/g)]
  const named = [...proseOf(markdown).matchAll(/^\[[^\]]+\]: +(\S+)$/gm)]
  return [...inline, ...named]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [file = '', anchor] = link.split('#')
      const target = file === '' ? path : join(dirname(path), file)
      if (!existsSync(join(REPOSITORY, target))) return true
      return anchor !== undefined && !anchorsOf(pages.get(target) ?? '').includes(anchor)
    })
}

it('there are pages to look at', () => {
  expect(pages.size).toBeGreaterThan(20)
})

describe.each([...pages])('%s', (path, markdown) => {
  it('links to what exists', () => {
    expect(brokenLinks(path, markdown)).toEqual([])
  })
})

it('a link to what is gone is found', () => {
  expect(brokenLinks('README.md', '[a](gone.md) [b](README.md#gone) [c](gateway/) `[d](gone.md)`')).toEqual([
    'gone.md',
    'README.md#gone',
  ])
})

/** Comments, and what a message tells its reader to run. */
function commentsOf(source: string): string {
  return source
    .split('\n')
    .filter((line) => /^ *(?:\/?\*|\/\/|#)|npx /.test(line))
    .join('\n')
}

async function helpOf(...command: readonly string[]): Promise<string> {
  await using toolgate = runToolgate([...command, '--help'])
  expect(await toolgate.ended).toBe(0)
  return toolgate.output()
}

it('every command that a page, a help text or a message names exists', async () => {
  const words = (help: string, prefix: string): string[] =>
    [...help.matchAll(new RegExp(`^ *toolgate ${prefix}([a-z]+)`, 'gm'))].map(
      ([, word = '']) => `${prefix}${word}`,
    )
  const known = new Set([...words(await helpOf(), ''), ...words(await helpOf('dev'), 'dev ')])
  const sources = await pagesOf('{gateway,deploy,connectors}/**/*.{ts,yaml,yml}')
  const comments = [...sources].map(([path, text]): [string, string] => [path, commentsOf(text)])
  const named = [...pages, ...comments].flatMap(([path, text]) =>
    [...text.matchAll(/(?:npx |`)toolgate ((?:dev )?[a-z]+)\b/g)].map(
      ([, command = '']) => `${command} in ${path}`,
    ),
  )
  expect(named.length).toBeGreaterThan(10)
  expect(named.filter((each) => !known.has(each.replace(/ in \S+$/, '')))).toEqual([])
})

it('every npm script that a page names exists', async () => {
  const { scripts } = JSON.parse(await readFile(join(REPOSITORY, 'package.json'), 'utf8')) as {
    scripts: object
  }
  const named = [...pages].flatMap(([path, text]) =>
    [...text.matchAll(/npm (?:run (?:--silent )?)?(start|test|(?<=run )[a-z:-]+)/g)].map(
      ([, name = '']) => `${name} in ${path}`,
    ),
  )
  expect(named.length).toBeGreaterThan(3)
  expect(named.filter((each) => !Object.hasOwn(scripts, each.split(' ')[0] ?? ''))).toEqual([])
})
