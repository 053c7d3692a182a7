/** What redacting an answer costs, beside parsing and printing it. `node test/bench/redact.ts`; ends by itself. */
import { redactJson } from '../../gateway/egress/redact-json.ts'
import { compilePointers } from '../../gateway/egress/redact-pointers.ts'
import { printTimeOf } from './measure.ts'

const POINTERS = ['/*/email', '/*/address/street']

function customers(count: number): Buffer {
  const all = Array.from({ length: count }, (_, index) => ({
    id: index,
    name: `Customer ${index}`,
    email: `customer-${index}@example.com`,
    address: { street: 'A street with a rather long name', zip: 12_345, city: 'Somewhere' },
    tags: ['a', 'b', 1.5, true, null],
  }))
  return Buffer.from(JSON.stringify(all))
}

for (const count of [6, 60, 600]) {
  const body = customers(count)
  const size = `${(body.length / 1024).toFixed(1)} KB`
  const calls = Math.ceil(20_000 / count)
  const redacted = redactJson(body, compilePointers(POINTERS))
  if (!redacted.ok || redacted.count !== 2 * count) throw new Error('not redacted as it should be')
  printTimeOf(`redact ${size}, pointers compiled anew`, () => redactJson(body, compilePointers(POINTERS)), {
    calls,
  })
  printTimeOf(`parse and print ${size}`, () => Buffer.from(JSON.stringify(JSON.parse(body.toString()))), {
    calls,
  })
}
