import { hasMediaType, isRecord } from '../../fake-route.ts'
import type { FakeReply, FakeRequest } from '../../fake-route.ts'

/** The arguments of one method call, whichever way they were sent. */
export interface SlackArguments {
  /** A string argument; numbers and booleans count as strings, as in a form. */
  readonly text: (name: string) => string | undefined
  /** An argument that holds JSON: an object in a JSON body, or JSON text in a form. */
  readonly json: (name: string) => unknown
}

/** `{ok: true}` with more members. Slack answers 200 whatever it says. */
export function slackOk(more: object = {}): FakeReply {
  return { status: 200, body: { ok: true, ...more } }
}

export function slackError(error: string, more: object = {}): FakeReply {
  return { status: 200, body: { ok: false, error, ...more } }
}

/**
 * Reads the arguments as Slack does: from the query, and from a form or a JSON body. A body of another type is
 * Slack's own `invalid_post_type`, JSON that does not parse is `invalid_json`.
 */
export function readArguments(request: FakeRequest): SlackArguments | FakeReply {
  if (request.body.length === 0) return fromText(request.query)
  if (hasMediaType(request, 'application/x-www-form-urlencoded')) {
    return fromText(new URLSearchParams(request.body.toString()), request.query)
  }
  if (!hasMediaType(request, 'application/json')) return slackError('invalid_post_type')
  try {
    const body: unknown = JSON.parse(request.body.toString())
    return isRecord(body) ? fromObject(body) : slackError('json_not_object')
  } catch {
    return slackError('invalid_json')
  }
}

export function isReply(value: SlackArguments | FakeReply): value is FakeReply {
  return 'status' in value
}

function fromText(...sources: readonly URLSearchParams[]): SlackArguments {
  const text = (name: string): string | undefined => {
    for (const source of sources) {
      const value = source.get(name)
      if (value !== null) return value
    }
    return undefined
  }
  return { text, json: (name) => parsed(text(name)) }
}

function fromObject(body: Readonly<Record<string, unknown>>): SlackArguments {
  return {
    text: (name) => {
      const value = body[name]
      return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
        ? String(value)
        : undefined
    },
    json: (name) => (typeof body[name] === 'string' ? parsed(body[name]) : body[name]),
  }
}

function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** One page by Slack's cursor, with `response_metadata.next_cursor` empty on the last. */
export function cursorPage<T>(
  items: readonly T[],
  input: SlackArguments,
): { page: readonly T[]; next: string } | undefined {
  const limit = Number(input.text('limit') ?? 100)
  const cursor = input.text('cursor') ?? ''
  const start = cursor === '' ? 0 : Number(Buffer.from(cursor, 'base64').toString().replace('next:', ''))
  if (!Number.isInteger(start) || !Number.isInteger(limit) || limit < 1) return undefined
  const end = start + Math.min(limit, 1_000)
  return {
    page: items.slice(start, end),
    next: end < items.length ? Buffer.from(`next:${end}`).toString('base64') : '',
  }
}
