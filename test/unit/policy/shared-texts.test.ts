import { describe, expect, it } from 'vitest'
import type { PolicyInput } from '../../../gateway/policy/input.ts'
import { inputText } from '../../../gateway/policy/input-texts.ts'
import { NOBODY } from '../../../gateway/policy/evaluation/self-test.ts'

const PRINCIPAL = Object.freeze({
  id: 'dana@zyx.example',
  groups: Object.freeze(['reviewers']),
  device_compliant: true,
  act: Object.freeze([]),
})
const SCOPES = Object.freeze(['tools'])
const DETAILS = Object.freeze([Object.freeze({ type: 'account' })])

/** Of a token that many calls come with. */
const ONE: PolicyInput = { ...NOBODY, principal: PRINCIPAL, scopes: SCOPES, authorization_details: DETAILS }

function read(input: PolicyInput): unknown {
  return JSON.parse(inputText(input))
}

describe('what the texts of inputs share', () => {
  it.each<[string, Partial<PolicyInput>]>([
    ['agent', { agent: { ...NOBODY.agent, id: 'another' } }],
    ['issuer', { agent: { ...NOBODY.agent, issuer: 'https://other.example' } }],
    ['binding', { agent: { ...NOBODY.agent, binding: 'mtls' } }],
    ['key', { agent: { ...NOBODY.agent, key: 'another' } }],
    ['tenant', { tenant: 'another' }],
    ['scopes', { scopes: Object.freeze(['admin']) }],
    ['authorization_details', { authorization_details: Object.freeze([]) }],
    ['principal', { principal: Object.freeze({ ...PRINCIPAL, id: 'eve@zyx.example' }) }],
    ['operation', { operation: Object.freeze({ ...NOBODY.operation, access: 'read' as const }) }],
  ])('is not taken for that of another %s', (_member, other) => {
    for (const input of [ONE, { ...ONE, ...other }, { ...ONE }]) {
      expect(read(input)).toStrictEqual(JSON.parse(JSON.stringify(input)))
    }
  })

  it.each<[string, (list: string[]) => Partial<PolicyInput>]>([
    ['groups', (groups) => ({ principal: Object.freeze({ ...PRINCIPAL, groups }) })],
    ['scopes', (scopes) => ({ principal: Object.freeze({ ...PRINCIPAL }), scopes })],
    [
      'details',
      (type) => ({ principal: Object.freeze({ ...PRINCIPAL }), authorization_details: [{ type }] }),
    ],
  ])('is nothing that somebody could still change: %s', (_name, part) => {
    const list = ['first']
    const changeable = { ...ONE, ...part(list) }
    inputText(changeable)
    list.push('second')
    expect(read({ ...changeable })).toStrictEqual(JSON.parse(JSON.stringify(changeable)))
  })

  it('is no agent that somebody changed meanwhile', () => {
    const agent = { ...NOBODY.agent, key: 'first' }
    const input = { ...ONE, principal: Object.freeze({ ...PRINCIPAL }), agent }
    inputText(input)
    agent.key = 'second'
    expect(read({ ...input })).toMatchObject({ agent: { key: 'second' } })
  })

  it('is no operation that somebody could still change', () => {
    const operation = { ...NOBODY.operation, risk: 1 }
    inputText({ ...ONE, operation })
    operation.risk = 10
    expect(read({ ...ONE, operation })).toMatchObject({ operation: { risk: 10 } })
  })
})
