import type { ControlAnswer } from './control.ts'

/** What a problem may say beyond its title: for people, a code for programs, and whatever helps to do it right. */
export interface ProblemDetails extends Readonly<Record<string, unknown>> {
  readonly detail?: string
  readonly code?: string
}

/** An answer that says no (RFC 9457). */
export function controlProblem(
  status: number,
  title: string,
  details: ProblemDetails = {},
  headers?: ControlAnswer['headers'],
): ControlAnswer {
  const body = { type: 'about:blank', title, status, ...details }
  return { status, body, ...(headers && { headers }) }
}
