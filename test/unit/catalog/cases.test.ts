import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { ViewBody } from '../../../gateway/catalog/view.ts'
import { CONNECTORS, connectorNamed, loadCommitted } from './catalog-harness.ts'

interface Case {
  readonly name: string
  readonly call: string
  readonly json?: unknown
  readonly form?: string
  readonly multipart?: readonly string[]
  readonly operation?: string
  readonly access?: string
  readonly params?: Readonly<Record<string, string>>
  readonly resource?: Readonly<Record<string, string>>
  readonly upstream?: string
  readonly refusal?: string
}

const folder = new URL('../../../connectors/', import.meta.url)
const checkCases = new Ajv2020({ strict: false }).compile<Case[]>(
  JSON.parse(readFileSync(new URL('cases.schema.json', folder), 'utf8')) as object,
)
const catalog = loadCommitted()

function readCases(connector: string): Case[] {
  const cases: unknown = parse(readFileSync(new URL(`${connector}/cases.yaml`, folder), 'utf8'))
  if (!checkCases(cases)) throw new TypeError(JSON.stringify(checkCases.errors))
  return cases
}

function bodyOf({ json, form, multipart }: Case): ViewBody {
  if (json !== undefined) return { kind: 'json', value: json }
  if (form !== undefined) return { kind: 'form', text: form }
  return multipart === undefined ? { kind: 'none' } : { kind: 'multipart', names: multipart }
}

/** The call taken as far as the catalogue takes it: match, then view. */
function take(connector: string, each: Case): unknown {
  const [method = '', target = ''] = each.call.split(' ')
  const [path = '', query = ''] = target.split('?')
  const matched = catalog.match(connectorNamed(catalog, connector), method, path)
  if (!matched.ok) return { refusal: matched.refusal.code }
  const { operation, pathParams } = matched.value
  const view = catalog.view(operation, { pathParams, query, body: bodyOf(each), digest: '' })
  if (!view.ok) return { refusal: view.refusal.code }
  const { params, resource } = view.value
  const named = Object.entries(resource).filter(([field, value]) => field !== 'amount' && value !== '')
  return {
    operation: operation.id,
    access: operation.access,
    params: { ...params.path },
    resource: Object.fromEntries(named),
    upstream: matched.value.path,
  }
}

/** What `take` must give; `params` are only those that the case names. */
function expectedOf(connector: string, each: Case, taken: unknown): unknown {
  if (each.refusal !== undefined) return { refusal: each.refusal }
  const path = (each.call.split(' ')[1] ?? '').split('?')[0]
  return {
    operation: `${connector}.${each.operation ?? ''}`,
    access: each.access,
    params: { ...(taken as { params?: Record<string, string> }).params, ...each.params },
    resource: each.resource,
    upstream: each.upstream ?? path,
  }
}

describe.each(CONNECTORS)('%s', (connector) => {
  it.each(readCases(connector).map((each) => [each.name, each] as const))('%s', (_name, each) => {
    const taken = take(connector, each)
    expect(taken).toEqual(expectedOf(connector, each, taken))
  })
})
