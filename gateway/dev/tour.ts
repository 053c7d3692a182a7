import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import type { Command, ExitCode, Surroundings } from '../cli/command.ts'
import { DEFAULT_PERSONA } from './personas.ts'
import { createSigningFetch, installFetch } from './signing-fetch.ts'
import { table } from '../lib/table.ts'
import { discoverIssuer } from './token-source.ts'
import { createContext, isAsExpected, REFUSED_STEPS } from './tour-steps.ts'
import type { TourContext } from './tour-steps.ts'
import { runApproval } from './tour-people.ts'
import type { TourPeople } from './tour-people.ts'
import { rowOf } from './tour-row.ts'
import type { TourRow } from './tour-row.ts'
import { readVerdict } from './verdict.ts'

const DEFAULT_GATEWAY = 'http://127.0.0.1:8080'
const DEFAULT_ADMIN = 'http://127.0.0.1:9090'

const USAGE = `toolgate dev tour [--json] [--gateway ORIGIN] [--admin ORIGIN] [--issuer ORIGIN]

Runs the example agent of deploy/examples/change-review through the running gateway, has people answer for a call that
waits for them, then tries what has to be refused. Every verdict is checked: exit code 1 when one is not as it should be.

  --json             one JSON object instead of text
  --gateway ORIGIN   ${DEFAULT_GATEWAY}
  --admin ORIGIN     where people answer: ${DEFAULT_ADMIN} beside that gateway, and nowhere beside another
  --issuer ORIGIN    the one that the gateway's metadata names
`

interface TourResult {
  readonly review: unknown
  /** Why there is no review; empty when there is one. */
  readonly reviewFailure: string
  readonly allowed: readonly TourRow[]
  /** Empty where nobody could be asked. */
  readonly answered: readonly TourRow[]
  readonly refused: readonly TourRow[]
}

export const tour: Command = { summary: 'take the tour', usage: USAGE, run: runTour }

/** `toolgate dev tour`. */
export async function runTour(args: readonly string[], surroundings: Surroundings): Promise<ExitCode> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      gateway: { type: 'string', default: DEFAULT_GATEWAY },
      admin: { type: 'string' },
      issuer: { type: 'string' },
    },
  })
  const context = createContext(values.gateway, values.issuer ?? (await discoverIssuer(values.gateway)))
  const people = await findPeople(values, surroundings)
  const result = {
    ...(await runAgent(context)),
    answered: people === undefined ? [] : await runApproval(context, people),
    refused: await runRefused(context),
  }
  surroundings.print(values.json ? `${JSON.stringify(asJson(result), null, 2)}\n` : asText(result))
  const wrong = [...result.allowed, ...result.answered, ...result.refused].filter(
    ({ difference }) => difference !== '',
  )
  for (const row of wrong) surroundings.complain(`not as it should be: ${row.tried}: ${row.difference}\n`)
  if (result.reviewFailure !== '')
    surroundings.complain(`the example agent failed: ${result.reviewFailure}\n`)
  return wrong.length === 0 && result.reviewFailure === '' ? 0 : 1
}

/** Where people can answer: where it is said, and else where `npm start` has them, if they are known there. */
async function findPeople(
  { admin, gateway }: { readonly admin?: string | undefined; readonly gateway: string },
  surroundings: Surroundings,
): Promise<TourPeople | undefined> {
  if (admin !== undefined) return { admin, issuer: await discoverIssuer(admin), surroundings }
  if (gateway !== DEFAULT_GATEWAY) return undefined
  const issuer = await discoverIssuer(DEFAULT_ADMIN).catch(() => undefined)
  return issuer === undefined ? undefined : { admin: DEFAULT_ADMIN, issuer, surroundings }
}

/** Runs the example with the SDKs it uses, and notes each of its calls as the gateway answered it. */
async function runAgent(context: TourContext): Promise<Omit<TourResult, 'answered' | 'refused'>> {
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

function asJson({ review, allowed, answered, refused }: TourResult): object {
  const row = ({ tried, decision, status, reason, callId, difference }: TourRow): object => ({
    tried,
    decision,
    status,
    reason,
    call_id: callId,
    as_expected: difference === '',
  })
  return { review, allowed: allowed.map(row), answered: answered.map(row), refused: refused.map(row) }
}

function asText({ review, allowed, answered, refused }: TourResult): string {
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

What waits for people

${answered.length === 0 ? '  nobody was asked: --admin says where people can answer' : rows('tried', answered)}

What is refused

${rows('tried', refused)}
`
}
