import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatScope, LOCK_SCOPE_KINDS, parseScope } from '../../../gateway/locks/scope.ts'

describe('a scope', () => {
  it.each([
    ['all', { kind: 'all' }],
    ['writes', { kind: 'writes' }],
    ['tenant:zyx-bank', { kind: 'tenant', name: 'zyx-bank' }],
    ['agent:change-review-agent', { kind: 'agent', name: 'change-review-agent', issuer: '' }],
    ['agent:https://id.example/a#bot#7', { kind: 'agent', name: 'bot#7', issuer: 'https://id.example/a' }],
    ['agent:spiffe://zyx/agents#7', { kind: 'agent', name: 'spiffe://zyx/agents#7', issuer: '' }],
    [
      'agent:https://app.example/client.json',
      { kind: 'agent', name: 'https://app.example/client.json', issuer: '' },
    ],
    ['principal:dana@zyx.example', { kind: 'principal', name: 'dana@zyx.example', issuer: '' }],
    [
      'operation:aws.ec2:AuthorizeSecurityGroupIngress',
      { kind: 'operation', name: 'aws.ec2:AuthorizeSecurityGroupIngress' },
    ],
    [
      'key:0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I',
      { kind: 'key', name: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' },
    ],
    ['token:jti-1', { kind: 'token', name: 'jti-1' }],
  ])('%s is read', (text, scope) => {
    expect(parseScope(text)).toEqual(scope)
    expect(formatScope(parseScope(text) ?? { kind: 'all' })).toBe(text)
  })

  it.each([
    ['read_only', 'writes'],
    ['all_write_tools_disabled', 'writes'],
    ['disabled_connectors:github', 'connector:github'],
    ['disabled_users:dana@zyx.example', 'principal:dana@zyx.example'],
  ])('of another policy, %s, is %s', (text, meant) => {
    expect(parseScope(text)).toEqual(parseScope(meant))
  })

  it.each([
    '',
    'al',
    'ALL',
    'all:',
    'all:x',
    'writes:github',
    'tenant',
    'tenant:',
    'tenant: x',
    'agent:x ',
    'group:sre',
    'constructor:x',
    '__proto__:x',
    'toString',
    'agent:a\nb',
    'agent:\ud800',
    `task:${'x'.repeat(2_000)}`,
  ])('%j is none', (text) => {
    expect(parseScope(text)).toBeUndefined()
  })

  it('is written as it is read, whatever it names', () => {
    const kind = fc.constantFrom(...LOCK_SCOPE_KINDS)
    fc.assert(
      fc.property(kind, fc.string({ unit: 'grapheme', maxLength: 40 }), (word, name) => {
        const scope = parseScope(`${word}:${name}`)
        const again = scope && parseScope(formatScope(scope))
        expect(again).toEqual(scope)
      }),
      { numRuns: 2_000 },
    )
  })
})
