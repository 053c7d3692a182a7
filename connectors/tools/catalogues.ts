import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PublishedOperation } from '../../gateway/catalog/folder.ts'
import { findPackage, inputOf, readDescription, type Input } from './inputs.ts'
import { formatOperations, type Published } from './operations-file.ts'
import { operationsOfOpenApi, type OpenApiDocument, type OpenApiOptions } from './sources/openapi.ts'
import { operationsOfSdk } from './sources/sdk-endpoints.ts'
import { operationsOfSlack } from './sources/slack.ts'

/** Derives one connector's parts from the folders given; each part names its source. */
type Derive = (from: readonly string[]) => Published[]

/**
 * How each catalogue is derived. Two products of one vendor may use the same operation id (`getIssue` is in Jira
 * and in Jira Software), so all but the main product carry the product's name: a later collision must not rename an
 * operation that policies already mention.
 */
export const CATALOGUES: ReadonlyMap<string, Derive> = new Map<string, Derive>([
  ['github', (from) => [github(from)]],
  [
    'jira',
    (from) => [
      atlassian(from, 'jira-platform-v3.json', 'Apache-2.0'),
      atlassian(from, 'jira-software.json', 'Apache-2.0', { idPrefix: 'software/' }),
      operationsOfSdk(findPackage(from, 'jira.js'), 'jira.js', 'src/serviceDesk/api', 'servicedesk/'),
    ],
  ],
  [
    'confluence',
    (from) => [
      atlassian(from, 'confluence-v2.json', 'none named: facts only', { basePath: '/wiki/api/v2' }),
      operationsOfSdk(findPackage(from, 'confluence.js'), 'confluence.js', 'dist/v1/api', 'v1/'),
    ],
  ],
  ['slack', (from) => [operationsOfSlack(findPackage(from, '@slack/web-api'))]],
])

/**
 * The text of `operations.json` for a connector of `CATALOGUES`.
 *
 * @throws Error when an input is missing, RangeError when the inputs contradict each other.
 */
export function deriveCatalogue(connector: string, from: readonly string[]): string {
  const derive = CATALOGUES.get(connector)
  if (derive === undefined) throw new RangeError(`no catalogue is derived for ${connector}`)
  return formatOperations(connector, derive(from))
}

function github(from: readonly string[]): Published {
  const found = findPackage(from, '@octokit/openapi')
  const input = inputOf(readFileSync(join(found.directory, 'generated', 'api.github.com.json')))
  const operations = operationsOfOpenApi(JSON.parse(input.text) as OpenApiDocument).map(slashInNames)
  return publish(
    'npm @octokit/openapi generated/api.github.com.json',
    found.version,
    found.licence,
    input,
    operations,
  )
}

/**
 * The description marks only some of the parameters that may hold a slash. Environment names ("must be URL encoded"),
 * npm and container package names, and label names may as well.
 */
function slashInNames(operation: PublishedOperation): PublishedOperation {
  const more = ['environment_name', 'package_name'].filter((name) => operation.path.includes(`{${name}}`))
  const label = operation.path.endsWith('/labels/{name}') ? ['name'] : []
  return { ...operation, slash: [...(operation.slash ?? []), ...more, ...label] }
}

function atlassian(
  from: readonly string[],
  file: string,
  licence: string,
  options: OpenApiOptions = {},
): Published {
  const input = readDescription(from, file)
  const document = JSON.parse(input.text) as OpenApiDocument
  const operations = operationsOfOpenApi(document, options)
  return publish(`developer.atlassian.com ${file}`, document.info.version, licence, input, operations)
}

function publish(
  name: string,
  version: string,
  licence: string,
  input: Input,
  operations: readonly PublishedOperation[],
): Published {
  return {
    source: { name, version, licence, sha256: input.sha256, operations: operations.length },
    operations,
  }
}
