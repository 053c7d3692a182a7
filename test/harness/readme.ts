import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { REPOSITORY } from './compose-file.ts'

/** The fenced blocks of this language in README.md, in their order. */
export async function readmeBlocks(language: string): Promise<string[]> {
  const text = await readFile(join(REPOSITORY, 'README.md'), 'utf8')
  const blocks = text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))
  return [...blocks].map(([, block = '']) => block)
}

/** The commands of README.md, without their comments. */
export async function readmeCommands(): Promise<string[]> {
  const lines = (await readmeBlocks('sh')).flatMap((block) => block.split('\n'))
  return lines.map((line) => line.replace(/ +#.*$/, '')).filter((line) => line !== '')
}
