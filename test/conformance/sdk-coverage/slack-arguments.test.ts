import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Operation } from '../../../gateway/catalog/connector.ts'
import { connectorNamed, loadCommitted } from '../../unit/catalog/catalog-harness.ts'

const TYPES = join(import.meta.dirname, '../../../node_modules/@slack/web-api/dist/types/request')
const PLACES = ['channel', 'channel_id', 'channels', 'channel_ids']
/** Legacy methods that the client gives no type of its own: they take a message by its channel, or a file. */
const UNTYPED = new Set(['stars.add', 'stars.remove'])

it('judges no method by a channel that the method does not take', () => {
  const catalog = loadCommitted()
  const declared = readDeclaredNames()
  const connector = connectorNamed(catalog, 'slack')
  const believed: string[] = []
  let checked = 0
  for (const { id, resources } of catalog.operations('slack')) {
    const method = id.slice('slack.'.length)
    const names = declared.get(`${method.replaceAll('.', '')}arguments`.toLowerCase())
    if (!resources.includes('channel') || UNTYPED.has(method)) continue
    const matched = catalog.match(connector, 'POST', `/api/${method}`)
    if (!matched.ok || names === undefined) throw new TypeError(`${method} cannot be checked`)
    checked += 1
    if (PLACES.some((name) => names.has(name))) continue
    for (const place of PLACES) {
      if (channelSeen(catalog, matched.value.operation, place) !== '*') believed.push(`${method} ${place}`)
    }
  }
  expect(believed).toEqual([])
  expect(checked).toBeGreaterThan(90)
})

function channelSeen(catalog: ReturnType<typeof loadCommitted>, operation: Operation, place: string): string {
  const view = catalog.view(operation, {
    pathParams: {},
    query: `${place}=C0CHANGEREV`,
    body: { kind: 'none' },
    digest: '',
  })
  return view.ok ? view.value.resource.channel : '*'
}

/** Member names of every request type, those of the types it is made of included; by lower-case type name. */
function readDeclaredNames(): ReadonlyMap<string, ReadonlySet<string>> {
  const bodies = new Map<string, string>()
  const files = readdirSync(TYPES, { recursive: true, encoding: 'utf8' })
  for (const file of files.filter((name) => name.endsWith('.d.ts'))) {
    const text = readFileSync(join(TYPES, file), 'utf8')
    for (const [, name = '', head, body] of text.matchAll(
      /(?:interface|type) (\w+)(?:<[^{=]*>)?\s*([^\n{]*)(\{[\s\S]*?\n\}|[^\n]*)/g,
    )) {
      bodies.set(name, `${bodies.get(name) ?? ''} ${head} ${body}`)
    }
  }
  const namesOf = (type: string, seen: Set<string>): string[] => {
    const body = bodies.get(type)
    if (body === undefined || seen.has(type)) return []
    seen.add(type)
    const own = [...body.matchAll(/\b(\w+)\??:/g)].map(([, name = '']) => name)
    return [...own, ...[...body.matchAll(/\b[A-Z]\w+/g)].flatMap(([name]) => namesOf(name, seen))]
  }
  return new Map([...bodies.keys()].map((type) => [type.toLowerCase(), new Set(namesOf(type, new Set()))]))
}
