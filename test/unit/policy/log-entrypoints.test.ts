import { beforeAll, describe, expect, test } from 'vitest'
import { compileBundle } from '../../../gateway/policy/authoring/compile.ts'
import { compileRules, FRIEND, FRIEND_RULES, startPolicy } from '../../harness/opa.ts'

const MASK = `package system.log

# METADATA
# entrypoint: true
mask contains {"op": "upsert", "path": "/input/params/body/text", "value": "é"} if input.input.params.body.text

mask contains "/input/declared" if not input.keep

mask contains "/result" if object.get(input, "conflict", false) == collide

collide := true if input.conflict

collide := false if input.conflict

# METADATA
# entrypoint: true
drop if input.input.agent.id == "nobody"
`

let bundle: Buffer
beforeAll(async () => {
  bundle = await compileBundle({
    sources: new Map([
      ['gateway/decision.rego', `package gateway.decision\n\n${FRIEND_RULES}\n`],
      ['system/log.rego', MASK],
    ]),
    roots: ['gateway', 'system'],
  })
})

describe('rules on the decision log', () => {
  test('are evaluated on the event', async () => {
    await using running = await startPolicy(bundle)
    const { policy } = running
    expect([...policy.entrypoints].sort()).toEqual([
      'gateway/decision/decision',
      'system/log/drop',
      'system/log/mask',
    ])
    const event = { input: { ...FRIEND, params: { body: { text: 'secret' } } } }
    expect(await policy.evaluateLog('system/log/mask', event)).toEqual({
      defined: true,
      result: expect.arrayContaining([
        '/input/declared',
        { op: 'upsert', path: '/input/params/body/text', value: 'é' },
      ]),
    })
    expect(await policy.evaluateLog('system/log/drop', { input: { agent: { id: 'nobody' } } })).toEqual({
      defined: true,
      result: true,
    })
  })

  test('that do not apply are undefined', async () => {
    await using running = await startPolicy(bundle)
    expect(await running.policy.evaluateLog('system/log/drop', { input: FRIEND })).toEqual({ defined: false })
  })

  test('that the bundle does not have are undefined', async () => {
    await using running = await startPolicy(await compileRules(FRIEND_RULES))
    expect([...running.policy.entrypoints]).toEqual(['gateway/decision/decision'])
    expect(await running.policy.evaluateLog('system/log/mask', {})).toEqual({ defined: false })
  })

  test('that throw fail for that event alone, however often', async () => {
    await using running = await startPolicy(bundle)
    const { policy } = running
    for (let count = 0; count < 600; count += 1) {
      expect(await policy.evaluateLog('system/log/mask', { conflict: true })).toHaveProperty('failed')
    }
    expect(policy.status().instancesFailed).toBe(600)
    expect(await policy.evaluateLog('system/log/mask', { keep: 1 })).toEqual({ defined: true, result: [] })
    expect(policy.decide(FRIEND)).toMatchObject({ ok: true, value: { allow: true } })
  })

  test.each([
    ['a lone surrogate', { text: '\ud800' }],
    ['a number that JSON cannot write', { amount: Infinity }],
    ['more bytes than the bound', { text: 'x'.repeat(200_000) }],
    ['bytes', Buffer.from('{}')],
    ['nothing', undefined],
  ])('fail on an event that holds %s, which costs no instance', async (_, event) => {
    await using running = await startPolicy(bundle)
    expect(await running.policy.evaluateLog('system/log/mask', event)).toHaveProperty('failed')
    expect(running.policy.status().instancesFailed).toBe(0)
  })
})
