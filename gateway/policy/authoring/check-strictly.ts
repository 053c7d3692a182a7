import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CAPABILITIES_PATH } from './compile.ts'
import { derivedSchemas } from './derived-schemas.ts'
import { tryOpa } from './opa.ts'

/**
 * What `opa check --strict` has against the rules of a policy folder, line by line: reads of members that the schemas
 * have not are found here, and builtins that the gateway has not.
 *
 * @param paths folders of rules and data below `directory`
 * @param flags further ones of `opa check`
 */
export async function strictMistakes(
  directory: string,
  paths: readonly string[],
  flags: readonly string[] = [],
): Promise<readonly string[]> {
  const schemas = await mkdtemp(join(tmpdir(), 'toolgate-schemas-'))
  try {
    for (const name of await readdir(join(directory, 'schemas')).catch(() => []))
      if (name.endsWith('.json'))
        await writeFile(join(schemas, name), await readFile(join(directory, 'schemas', name)))
    for (const [name, text] of Object.entries(derivedSchemas())) await writeFile(join(schemas, name), text)
    const strict = ['--strict', '--schema', schemas, '--capabilities', CAPABILITIES_PATH]
    const { exitCode, stdout, stderr } = await tryOpa(['check', ...strict, ...flags, ...paths], directory)
    return exitCode === 0 ? [] : `${stderr}${stdout}`.split('\n').filter((line) => line.trim() !== '')
  } finally {
    await rm(schemas, { recursive: true })
  }
}
