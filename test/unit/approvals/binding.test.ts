import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bindingOf, boundHeaders, type Bound } from '../../../gateway/approvals/binding.ts'
import { HeaderList } from '../../../gateway/lib/header-list.ts'

const BOUND: Bound = {
  method: 'POST',
  origin: 'https://api.github.com',
  target: '/repos/zyx/platform-infra/releases?draft=1',
  headers: ['content-type', 'application/json'],
  body: Buffer.from('{"tag_name":"v1"}'),
  connector: 'github',
  operation: 'github.repos/create-release',
  tenant: 'zyx-bank',
  agent: { id: 'release-agent', issuer: 'https://id.zyx.example', key: 'jkt' },
  principal: { id: 'dana@zyx.example', act: ['release-agent'] },
  declared: { task: 't', rationale: 'r', ticket: 'CHG-1', rollbackPlan: 'p' },
}

/** One call for each thing that is bound, in which that thing alone is another. */
const CHANGED: Readonly<Record<string, Bound>> = {
  method: { ...BOUND, method: 'PUT' },
  origin: { ...BOUND, origin: 'https://api.github.example' },
  query: { ...BOUND, target: '/repos/zyx/platform-infra/releases?draft=0' },
  'case of the target': { ...BOUND, target: '/repos/ZYX/platform-infra/releases?draft=1' },
  'header value': { ...BOUND, headers: ['content-type', 'application/vnd.github+json'] },
  'header more': { ...BOUND, headers: [...BOUND.headers, 'if-match', '"1"'] },
  'body by one byte': { ...BOUND, body: Buffer.from('{"tag_name":"v2"}') },
  'white space of the body': { ...BOUND, body: Buffer.from('{"tag_name": "v1"}') },
  connector: { ...BOUND, connector: 'github2' },
  operation: { ...BOUND, operation: 'github.repos/update-release' },
  tenant: { ...BOUND, tenant: 'other-bank' },
  agent: { ...BOUND, agent: { ...BOUND.agent, id: 'other-agent' } },
  issuer: { ...BOUND, agent: { ...BOUND.agent, issuer: 'https://id.other.example' } },
  key: { ...BOUND, agent: { ...BOUND.agent, key: 'other' } },
  principal: { ...BOUND, principal: { ...BOUND.principal, id: 'eve@zyx.example' } },
  'chain of delegation': { ...BOUND, principal: { ...BOUND.principal, act: [] } },
  task: { ...BOUND, declared: { ...BOUND.declared, task: 'u' } },
  rationale: { ...BOUND, declared: { ...BOUND.declared, rationale: 's' } },
  ticket: { ...BOUND, declared: { ...BOUND.declared, ticket: 'CHG-2' } },
  'rollback plan': { ...BOUND, declared: { ...BOUND.declared, rollbackPlan: 'q' } },
}

describe('what an approval is bound to', () => {
  it.each(Object.keys(CHANGED))('another %s is another call', (name) => {
    expect(bindingOf(CHANGED[name] as Bound)).not.toBe(bindingOf(BOUND))
  })

  it('the same call is the same, whatever objects it is in', () => {
    expect(bindingOf(structuredClone(BOUND))).toBe(bindingOf(BOUND))
  })

  it('numbers that a parser cannot tell apart are different calls', () => {
    const withBody = (text: string): string => bindingOf({ ...BOUND, body: Buffer.from(text) })
    expect(withBody('{"amount":9007199254740993}')).not.toBe(withBody('{"amount":9007199254740992}'))
    expect(withBody('{"a":1,"a":2}')).not.toBe(withBody('{"a":2}'))
  })

  it('no text moves over a boundary unseen', () => {
    const text = fc.string({ unit: 'binary', maxLength: 4 })
    const bound: fc.Arbitrary<Bound> = fc.record({
      method: text,
      origin: text,
      target: text,
      headers: fc.array(text, { maxLength: 4 }),
      body: fc.uint8Array({ maxLength: 4 }),
      connector: text,
      operation: text,
      tenant: text,
      agent: fc.record({ id: text, issuer: text, key: text }),
      principal: fc.record({ id: text, act: fc.array(text, { maxLength: 3 }) }),
      declared: fc.record({ task: text, rationale: text, ticket: text, rollbackPlan: text }),
    })
    const plain = (one: Bound): unknown => ({ ...one, body: [...one.body] })
    fc.assert(
      fc.property(bound, bound, (one, other) => {
        const same = JSON.stringify(plain(one)) === JSON.stringify(plain(other))
        expect(bindingOf(one) === bindingOf(other)).toBe(same)
      }),
      { numRuns: 300 },
    )
  })

  it('pieces of one text that are cut elsewhere are different calls', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 2, maxLength: 12 }), fc.nat(), fc.nat(), (text, first, second) => {
        const cutAt = (at: number): Bound => ({
          ...BOUND,
          operation: text.slice(0, at % text.length),
          tenant: text.slice(at % text.length),
        })
        const same = first % text.length === second % text.length
        expect(bindingOf(cutAt(first)) === bindingOf(cutAt(second))).toBe(same)
      }),
    )
  })

  it('lone surrogates stay apart', () => {
    const named = (id: string): string => bindingOf({ ...BOUND, principal: { id, act: [] } })
    expect(named('\ud800')).not.toBe(named('\ud801'))
  })
})

describe('headers that are bound', () => {
  const passed = new Set(['accept', 'accept-encoding', 'content-type', 'if-match', 'user-agent'])

  it('are those that go upstream, in an order that the caller does not choose', () => {
    const headers = (flat: string[]): readonly string[] =>
      boundHeaders({ headers: new HeaderList(flat) }, passed)
    const one = headers(['Content-Type', 'text/plain', 'If-Match', '"1"', 'DPoP', 'a.b.c', 'Accept', '*/*'])
    const other = headers(['ACCEPT', '*/*', 'if-match', '"1"', 'content-type', 'text/plain', 'DPoP', 'd.e.f'])
    expect(one).toEqual(['accept', '*/*', 'content-type', 'text/plain', 'if-match', '"1"'])
    expect(other).toEqual(one)
  })

  it('are each of their values, and not what says only who asks and how the answer travels', () => {
    const headers = new HeaderList(['Accept', 'a', 'User-Agent', 'x', 'Accept', 'b', 'Accept-Encoding', 'br'])
    expect(boundHeaders({ headers }, passed)).toEqual(['accept', 'a', 'accept', 'b'])
  })
})
