import { EVENT_SCHEMA } from '../decision-log/event-schema.ts'
import { INPUT_V1 } from '../input.ts'

/** JSON Schemas of what rules read, by file name, as `opa check --schema` reads them. */
export function derivedSchemas(): Readonly<Record<string, string>> {
  const input = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'input, version 1: what the rules know of a call; written by toolgate policy build',
    ...INPUT_V1.schema,
  }
  return { 'event.json': jsonText(EVENT_SCHEMA), 'input.json': jsonText(input) }
}

function jsonText(schema: object): string {
  return `${JSON.stringify(schema, null, 2)}\n`
}
