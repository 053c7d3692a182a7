import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inputOf, type PackageInput } from '../inputs.ts'
import type { Published } from '../operations-file.ts'

/**
 * The Web API's methods as `@slack/web-api` binds them. Every method is `POST /api/<method>`; `files.uploadV2` is a
 * helper of the SDK made of other methods and is bound in another way, so it does not appear.
 */
export function operationsOfSlack(input: PackageInput): Published {
  const source = inputOf(readFileSync(join(input.directory, 'dist', 'methods.js')))
  const bound = source.text.matchAll(/bindApiCall(?:WithOptionalArgument)?\(this, '([A-Za-z0-9.]+)'\)/g)
  const methods = [...new Set(Array.from(bound, (match) => match[1] ?? ''))]
  const operations = methods.map((id) => ({
    id,
    method: 'POST',
    path: `/api/${id}`,
  }))
  return {
    source: {
      name: 'npm @slack/web-api dist/methods.js',
      version: input.version,
      licence: input.licence,
      sha256: source.sha256,
      operations: operations.length,
    },
    operations,
  }
}
