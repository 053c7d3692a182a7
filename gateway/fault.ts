import type { Refusal, RefusalCode } from './refusal.ts'

/** A broken dependency or a bug: thrown, never returned; carries the refusal that the caller is given. */
export class GatewayFault extends Error {
  override readonly name = 'GatewayFault'
  readonly code: RefusalCode

  constructor(code: RefusalCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** The refusal code for anything thrown; what nobody mapped is the gateway's own fault. */
export function refusalCodeOf(thrown: unknown): RefusalCode {
  return thrown instanceof GatewayFault ? thrown.code : 'gateway.fault'
}

/** The refusal of a call that was ended by its signal: why the gateway ended it, or `otherwise` when its caller left. */
export function refusalOfAbort({ reason }: AbortSignal, otherwise: Refusal): Refusal {
  return reason instanceof GatewayFault ? { code: reason.code, detail: reason.message } : otherwise
}
