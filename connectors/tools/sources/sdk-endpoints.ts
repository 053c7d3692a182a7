import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PackageInput } from '../inputs.ts'
import type { PublishedOperation } from '../../../gateway/catalog/folder.ts'
import type { Published } from '../operations-file.ts'

/**
 * Reads the endpoint functions of confluence.js and jira.js: each exported function is one operation and names
 * its method and address in an object literal. Products for which the vendor's description is not at hand
 * (Confluence v1, Jira Service Management) are taken from here.
 *
 * @throws RangeError when a function does not read as expected, so that a new version cannot lose one unseen.
 */
export function operationsOfSdk(
  input: PackageInput,
  name: string,
  folder: string,
  idPrefix: string,
): Published {
  const directory = join(input.directory, folder)
  const files = readdirSync(directory)
    .filter((file) => /^(?!index\.)[A-Za-z]+\.(js|ts)$/.test(file))
    .toSorted()
  const hash = createHash('sha256')
  const operations = files.flatMap((file) => {
    const text = readFileSync(join(directory, file), 'utf8')
    hash.update(text)
    return endpointsIn(text, file, idPrefix)
  })
  return {
    source: {
      name: `npm ${name} ${folder}`,
      version: input.version,
      licence: input.licence,
      sha256: hash.digest('hex'),
      operations: operations.length,
    },
    operations,
  }
}

function endpointsIn(text: string, file: string, idPrefix: string): PublishedOperation[] {
  const functions = text.split(/^export async function /m).slice(1)
  return functions.map((source) => {
    const name = /^\w+/.exec(source)?.[0]
    const method = /^\s+method: '([A-Z]+)',$/m.exec(source)?.[1]
    const url = /^\s+url: (['`])(\/[^'`]*)\1,$/m.exec(source)?.[2]
    if (name === undefined || method === undefined || url === undefined) {
      throw new RangeError(`${file}: cannot read the endpoint ${name ?? ''}`)
    }
    const path = url.replaceAll(/\$\{parameters\.(\w+)\}/g, '{$1}')
    if (path.includes('$') || path.includes('?'))
      throw new RangeError(`${file}: ${name} has an address of code`)
    return { id: idPrefix + name, method, path }
  })
}
