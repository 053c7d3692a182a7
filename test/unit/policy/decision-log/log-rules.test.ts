import { describe, expect, it } from 'vitest'
import { decisionEvent } from '../../../../gateway/policy/decision-log/event.ts'
import { prepareEvent, type LogRules } from '../../../../gateway/policy/decision-log/log-rules.ts'
import { pass } from '../../../../gateway/refusal.ts'
import { aDecision } from './an-event.ts'

type Said = Awaited<ReturnType<LogRules['evaluateLog']>>

const SILENT: Said = { defined: false }
const says = (result: unknown): Said => ({ defined: true, result })
const rules = (drop: Said, mask: Said): LogRules => ({
  evaluateLog: (entrypoint) => (entrypoint === 'system/log/drop' ? drop : mask),
})
const REASON = { code: 'hours.closed', rule: 'R043', detail: 'hunter2' } as const
const denied = aDecision({
  verdict: pass({ allow: false, risk: 3, reasons: [REASON], reported: [], obligations: [] }),
})
const EVENT = decisionEvent(denied, {}, 1)

describe('rules on the log', () => {
  it('that a bundle does not have change nothing', async () => {
    expect(await prepareEvent(EVENT, rules(SILENT, SILENT))).toEqual({
      kind: 'kept',
      event: EVENT,
      failures: [],
    })
  })

  it('drop an event by true and by nothing else', async () => {
    expect(await prepareEvent(EVENT, rules(says(true), SILENT))).toEqual({ kind: 'dropped' })
    for (const said of [false, 'true', 1, null, [true], {}]) {
      expect(await prepareEvent(EVENT, rules(says(said), SILENT))).toMatchObject({ kind: 'kept' })
    }
  })

  it('keep the event where the drop rule fails', async () => {
    const prepared = await prepareEvent(EVENT, rules({ failed: new Error('abort') }, says(['/input'])))
    expect(prepared).toMatchObject({
      kind: 'kept',
      event: { erased: ['/input'] },
      failures: [{ entrypoint: 'system/log/drop' }],
    })
  })

  it('mask what they name', async () => {
    const prepared = await prepareEvent(
      EVENT,
      rules(SILENT, says(['/input/agent', '/result/reasons/0/detail'])),
    )
    expect(prepared).toMatchObject({ event: { erased: ['/input/agent', '/result/reasons/0/detail'] } })
    expect(JSON.stringify(prepared)).not.toMatch(/friend|hunter2/)
  })

  it.each([
    ['throw', { failed: new Error('abort') }],
    ['give no set', says({})],
    ['give a pointer elsewhere', says(['/labels'])],
    ['give another op', says([{ op: 'move', path: '/input' }])],
  ])('that %s leave nothing that a caller could have written', async (_, mask) => {
    const prepared = await prepareEvent(EVENT, rules(SILENT, mask))
    expect(prepared).toMatchObject({
      kind: 'kept',
      event: {
        decision_id: EVENT.decision_id,
        result: { allow: false, risk: 3 },
        rule_labels: [{ id: 'R043', code: 'hours.closed' }],
        erased: ['/input', '/result/obligations', '/result/reasons', '/result/reported'],
        custom: { toolgate: { mask_failed: true } },
      },
      failures: [{ entrypoint: 'system/log/mask' }],
    })
    expect(JSON.stringify(prepared)).not.toMatch(/friend|hunter2/)
  })

  it('that wait for a worker are waited for', async () => {
    const slow: LogRules = {
      evaluateLog: (entrypoint) =>
        Promise.resolve(rules(SILENT, says(['/input'])).evaluateLog(entrypoint, {})),
    }
    expect(await prepareEvent(EVENT, slow)).toMatchObject({ event: { erased: ['/input'] } })
  })
})
