import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect, it } from 'vitest'

/** Nothing looks at them at a start. */
it.each(['schema.json', 'overrides.schema.json', 'cases.schema.json'])('%s is a JSON Schema', (file) => {
  const schema = JSON.parse(
    readFileSync(new URL(`../../../connectors/${file}`, import.meta.url), 'utf8'),
  ) as object
  expect(new Ajv2020().validateSchema(schema)).toBe(true)
})
