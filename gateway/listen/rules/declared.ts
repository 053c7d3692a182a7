import type { Declared } from '../../exchange.ts'
import type { HeaderList } from '../../lib/header-list.ts'
import { pass, refuse } from '../../refusal.ts'
import type { Verdict } from '../../refusal.ts'

const NOTHING_DECLARED: Declared = { task: '', rationale: '', ticket: '', rollbackPlan: '' }
const PREFIX = 'toolgate-'

const LONGEST_TEXT = 2048

/** Task and ticket are keys of counters and of other systems' records, so they are plain tokens. */
const TOKEN = /^[A-Za-z0-9][A-Za-z0-9._:/#-]{0,127}$/

/**
 * Characters that would let a line break, or an order of reading, into a log line or an approver's screen: controls,
 * invisible and bidirectional formatting, line separators, private use.
 */
const UNSHOWABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/u

/** Text in which nothing has to be decoded, and nothing can be unshowable: nearly all of it, for a fraction of the time. */
const PLAIN = /^[\x20-\x7e]*$/

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** What the agent says of its own call; text is UTF-8 of at most 2,048 characters. */
export function readDeclared(headers: HeaderList): Verdict<Declared> {
  if (!declaresAnything(headers)) return pass(NOTHING_DECLARED)
  const task = headers.get('toolgate-task') ?? ''
  const ticket = headers.get('toolgate-ticket') ?? ''
  if (task !== '' && !TOKEN.test(task)) return no('Toolgate-Task is not a token')
  if (ticket !== '' && !TOKEN.test(ticket)) return no('Toolgate-Ticket is not a token')
  const rationale = readText(headers.get('toolgate-rationale'))
  if (rationale === undefined) return no('Toolgate-Rationale is not showable text')
  const rollbackPlan = readText(headers.get('toolgate-rollback-plan'))
  if (rollbackPlan === undefined) return no('Toolgate-Rollback-Plan is not showable text')
  return pass({ task, rationale, ticket, rollbackPlan })
}

function declaresAnything(headers: HeaderList): boolean {
  for (const name of headers.names()) if (name.startsWith(PREFIX)) return true
  return false
}

function readText(untrusted: string | undefined): string | undefined {
  if (untrusted === undefined || untrusted === '') return ''
  if (untrusted.length > 4 * LONGEST_TEXT) return undefined
  if (PLAIN.test(untrusted)) return untrusted.length > LONGEST_TEXT ? undefined : untrusted
  let text: string
  try {
    // Node hands header values over as one character for each byte.
    text = decoder.decode(Buffer.from(untrusted, 'latin1'))
  } catch {
    return undefined
  }
  return text.length > LONGEST_TEXT || UNSHOWABLE.test(text) ? undefined : text
}

function no(detail: string): Verdict<never> {
  return refuse('request.malformed', { detail })
}
