import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import type { Command, ExitCode, Surroundings } from '../cli/command.ts'
import { DEFAULT_PERSONA } from './personas.ts'
import { createSigningFetch, installFetch } from './signing-fetch.ts'
import { table } from '../lib/table.ts'
import { discoverIssuer } from './token-source.ts'
import { createContext, isAsExpected, REFUSED_STEPS } from './tour-steps.ts'
import type { TourContext } from './tour-steps.ts'
import { readVerdict, reasonText } from './verdict.ts'
import type { CallVerdict } from './verdict.ts'

const USAGE = `toolgate dev tour [--json] [--gateway ORIGIN] [--issuer ORIGIN]

Runs the example agent of deploy/examples/change-review through the running gateway, then tries what has to be
refused. Every verdict is checked: exit code 1 when one is not as it should be.

  --json             one JSON object instead of text
  --gateway ORIGIN   http://127.0.0.1:8080
  --issuer ORIGIN    the one that the gateway's metadata names
`

interface TourRow {
  readonly tried: string
  readonly decision: string
  readonly status: number
  readonly reason: string
  readonly callId: string
  /** What it should have been; empty when it was. */
  readonly difference: string
}

interface TourResult {
  readonly review: unknown
  /** Why there is no review; empty when there is one. */
  readonly reviewFailure: string
  readonly allowed: readonly TourRow[]
  readonly refused: readonly TourRow[]
}

export const tour: Command = { summary: 'take the tour', usage: USAGE, run: runTour }

/** `toolgate dev tour`. */
export async function runTour(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      gateway: { type: 'string', default: 'http://127.0.0.1:8080' },
      issuer: { type: 'string' },
    },
  })
  const context = createContext(values.gateway, values.issuer ?? (await discoverIssuer(values.gateway)))
  const result = { ...(await runAgent(context)), refused: await runRefused(context) }
  surroundings.print(values.json ? `${JSON.stringify(asJson(result), null, 2)}\n` : asText(result))
  const wrong = [...result.allowed, ...result.refused].filter(({ difference }) => difference !== '')
  for (const row of wrong) surroundings.complain(`not as it should be: ${row.tried}: ${row.difference}\n`)
  if (result.reviewFailure !== '')
    surroundings.complain(`the example agent failed: ${result.reviewFailure}\n`)
  return wrong.length === 0 && result.reviewFailure === '' ? 0 : 1
}

/** Runs the example with the SDKs it uses, and notes each of its calls as the gateway answered it. */
async function runAgent(context: TourContext): Promise<Omit<TourResult, 'refused'>> {
  const { belowGateway, createClients, EXAMPLE_REQUEST, reviewChange } = await loadExample()
  const { key, accessToken } = await context.as(DEFAULT_PERSONA)
  const pending: Promise<TourRow>[] = []
  const signing = createSigningFetch({
    gateway: context.gateway,
    key,
    accessToken,
    headers: {
      'Toolgate-Task': `change-review-${randomUUID()}`,
      'Toolgate-Ticket': EXAMPLE_REQUEST.ticket,
      'Toolgate-Rationale': 'Advisory review before the change board meets',
      'Toolgate-Rollback-Plan': 'Delete the comment and the message',
    },
    onReply: ({ method, url, reply }) => {
      pending.push(noteAllowed(`${method} ${url.pathname}`, reply.clone()))
    },
  })
  using _installed = installFetch(signing)
  let review: unknown
  let reviewFailure = ''
  try {
    review = await reviewChange(createClients(belowGateway(context.gateway)), EXAMPLE_REQUEST)
  } catch (error) {
    // The table of its calls shows at which one it failed.
    reviewFailure = error instanceof Error ? error.message : String(error)
  }
  return { review, reviewFailure, allowed: await Promise.all(pending) }
}

async function loadExample() {
  try {
    const [clients, review] = await Promise.all([
      import('../../deploy/examples/change-review/clients.ts'),
      import('../../deploy/examples/change-review/review.ts'),
    ])
    return { ...clients, ...review }
  } catch (cause) {
    throw new Error(
      "the tour needs the development dependencies (the vendors' SDKs): npm ci, without --omit=dev",
      { cause },
    )
  }
}

async function noteAllowed(tried: string, reply: Response): Promise<TourRow> {
  const verdict = await readVerdict(reply)
  const fine = verdict.decision === 'allow' && !verdict.upstreamError && verdict.callId !== ''
  return rowOf(tried, verdict, fine ? '' : 'should have been allowed and answered')
}

async function runRefused(context: TourContext): Promise<TourRow[]> {
  const rows: TourRow[] = []
  for (const step of REFUSED_STEPS) {
    const verdict = await step.run(context)
    const expected = step.reason === undefined ? step.code : `${step.code} with ${step.reason}`
    rows.push(rowOf(step.tried, verdict, isAsExpected(step, verdict) ? '' : `should have been ${expected}`))
  }
  return rows
}

function rowOf(tried: string, verdict: CallVerdict, difference: string): TourRow {
  const { decision, status, callId } = verdict
  return { tried, decision: decision ?? 'none', status, reason: reasonText(verdict), callId, difference }
}

function asJson({ review, allowed, refused }: TourResult): object {
  const row = ({ tried, decision, status, reason, callId, difference }: TourRow): object => ({
    tried,
    decision,
    status,
    reason,
    call_id: callId,
    as_expected: difference === '',
  })
  return { review, allowed: allowed.map(row), refused: refused.map(row) }
}

function asText({ review, allowed, refused }: TourResult): string {
  const rows = (head: string, list: readonly TourRow[]): string =>
    table([
      [head, 'decision', 'status', 'reason', 'call id', ''],
      ...list.map((row) => [
        row.tried,
        row.decision,
        String(row.status),
        row.reason,
        row.callId,
        row.difference,
      ]),
    ])
  return `The change review of the example agent

${JSON.stringify(review, null, 2)}

What it did

${rows('call', allowed)}

What is refused

${rows('tried', refused)}
`
}
