import type { Decision } from '../../../gateway/policy/decision.ts'

/** What policy is told beside the call. */
export const TIME = {
  ns: '1',
  date: '2026-11-23',
  weekday: 'monday',
  hour: 10,
  business_hours: true,
} as const
export const NO_SIGNALS = { secrets: [], pii: [], injection: [], first_use: true }

export const ALLOW: Decision = { allow: true, risk: 3, reasons: [], reported: [], obligations: [] }
export const POLICY = { digest: 'sha256:0', revision: 'r' }
/** A policy, but for what it decides. */
export const ASKED = { ...POLICY, bundles: [], evaluateLog: () => ({ defined: false }) as const }
