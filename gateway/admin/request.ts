import type { IncomingMessage } from 'node:http'
import { HeaderList } from '../lib/header-list.ts'
import { problem, type Answer } from './answer.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'DELETE'] as const
const MAX_TARGET_CHARS = 4_096
/** RFC 3986 §3.3, §3.4, in origin-form: an absolute-form target would bring a second host. */
const TARGET = /^(\/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)(?:\?([A-Za-z0-9._~!$&'()*+,;=:@%/?-]*))?$/

/** A request to the admin listener whose target and methods are understood; of its headers nothing is believed yet. */
export interface AdminRequest {
  readonly method: (typeof METHODS)[number]
  readonly path: string
  readonly query: string
  /** All of them: Node drops a repeated `Authorization` without a word. */
  readonly headers: HeaderList
  readonly incoming: IncomingMessage
}

/** Reads the head of a request, or answers it. */
export function readRequest(incoming: IncomingMessage): AdminRequest | Answer {
  const method = METHODS.find((known) => known === incoming.method)
  if (method === undefined) {
    return problem(405, `Only ${METHODS.join(', ')}`, { headers: { allow: METHODS.join(', ') } })
  }
  const target = incoming.url ?? ''
  const parts = target.length > MAX_TARGET_CHARS ? null : TARGET.exec(target)
  if (parts === null) return problem(400, 'The request target is not canonical')
  const headers = new HeaderList(incoming.rawHeaders)
  if (headers.count('host') > 1) return problem(400, 'More than one Host')
  return { method, path: parts[1] ?? '', query: parts[2] ?? '', headers, incoming }
}
