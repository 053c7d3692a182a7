import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { CATALOGUES, deriveCatalogue } from './catalogues.ts'

const USAGE = `Usage: node connectors/tools/derive-catalogue.ts CONNECTOR --from DIR [--from DIR …] [--check]

Writes connectors/CONNECTOR/operations.json from the vendor's published description.
CONNECTOR is one of ${[...CATALOGUES.keys()].join(', ')}; DIR holds the description or the npm package.
--check writes nothing and exits 1 when the committed file differs.`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    from: { type: 'string', multiple: true, default: [] },
    check: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

const [connector] = positionals
if (values.help || connector === undefined || !CATALOGUES.has(connector) || values.from.length === 0) {
  console.error(USAGE)
  process.exitCode = values.help ? 0 : 2
} else {
  const file = fileURLToPath(new URL(`../${connector}/operations.json`, import.meta.url))
  const derived = deriveCatalogue(connector, values.from)
  if (!values.check) writeFileSync(file, derived)
  else if (readFileSync(file, 'utf8') !== derived) {
    console.error(`${file} is not what the inputs give`)
    process.exitCode = 1
  }
}
