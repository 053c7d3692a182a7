import { hash } from 'node:crypto'
import type { Admitted, ReadBody } from '../exchange.ts'
import { pass, refuse } from '../refusal.ts'
import type { Verdict } from '../refusal.ts'
import type { Collected } from './collect-body.ts'
import { parseBody } from './parse-body.ts'
import type { ParsedBody } from './parse-body.ts'

/** A body as it will be forwarded, and as policy will see it. */
export interface UnderstoodBody {
  readonly content: ReadBody
  readonly body: ParsedBody
}

const NO_BYTES = Buffer.alloc(0)

export const NO_BODY: UnderstoodBody = {
  content: { kind: 'none', bytes: NO_BYTES, stream: undefined, digest: hash('sha256', '', 'hex') },
  body: { kind: 'none' },
}

/** Reads what was taken in, once; what goes by as a stream stays unread. */
export function understandBody(
  { connector, headers }: Pick<Admitted, 'connector' | 'headers'>,
  kind: Exclude<ReadBody['kind'], 'none'>,
  collected: Collected,
): Verdict<UnderstoodBody> {
  if ('stream' in collected) {
    // A form that is too large to be read could hold a credential, which would act in place of ours.
    if (kind === 'multipart' && connector.credentialParameters.body.length > 0) {
      return refuse('request.body_too_large', { detail: 'a form that cannot be searched for a credential' })
    }
    const content = { kind, bytes: NO_BYTES, stream: collected.stream, digest: '' }
    return pass({ content, body: { kind: 'opaque' } })
  }
  const { bytes } = collected
  if (bytes.length === 0) return pass(NO_BODY)
  const parsed = parseBody(kind, bytes, headers.get('content-type'))
  if (!parsed.ok) return parsed
  const content = { kind, bytes, stream: undefined, digest: hash('sha256', bytes, 'hex') }
  return pass({ content, body: parsed.value })
}
