import type { RowResult } from './figures.ts'
import type { PartFigure, Results } from './results.ts'

/** Processor time of a call, in microseconds, by what it is the time of. */
interface FloorFigures {
  readonly hop: number
  readonly replyFrom: number
  readonly policy: number
  readonly audit: number
  readonly limits: number
  readonly proof: number
  readonly unbound: number
  readonly mtls: number
  readonly dpop: number
}

/**
 * What a gateway that is built so cannot go below, from the figures of the same run, and what a goal of throughput leaves
 * for it; nothing where the run lacks one of them.
 */
export function floorOf({ rows = [], parts = [], profiles = [] }: Results): string[] {
  const figures = figuresOf(rows, parts)
  if (!isWhole(figures)) return []
  const hottest = Math.max(...profiles.flatMap((profile) => profile.hottest.map(({ percent }) => percent)))
  return [
    ...textOf(figures),
    'What lies between the sum of the parts and what was seen is the rest of a call (header rules, deadlines, digests, the search' +
      ' of bodies, the log line, metrics, detections), garbage collection, and that in one process each part finds the caches' +
      ' full of the others.' +
      (profiles.length === 0
        ? ''
        : ` The hottest single function of the profiles above takes ${hottest.toFixed(1)} %.`),
  ]
}

function figuresOf(
  rows: readonly RowResult[],
  parts: readonly PartFigure[],
): { readonly [Name in keyof FloorFigures]: number | undefined } {
  const row = (name: string) => rows.find((each) => each.name === name)?.saturated?.processorUs
  const part = (name: string) => parts.find((each) => each.name === name)?.p50Us
  return {
    hop: row('undici proxy'),
    replyFrom: row('@fastify/reply-from'),
    policy: part('policy: an allowed read'),
    audit: part('audit: intent and outcome of a read'),
    limits: part('limits: six, in memory'),
    proof: part('identity: DPoP proof by a known key'),
    unbound: row('Toolgate unbound embedded flushed'),
    mtls: row('Toolgate mTLS embedded flushed'),
    dpop: row('Toolgate DPoP embedded flushed'),
  }
}

function isWhole(figures: ReturnType<typeof figuresOf>): figures is FloorFigures {
  return Object.values(figures).every((us) => us !== undefined)
}

function textOf({
  hop,
  replyFrom,
  policy,
  audit,
  limits,
  proof,
  unbound,
  mtls,
  dpop,
}: FloorFigures): string[] {
  const us = (value: number): string => `${value.toFixed(0)} µs`
  const controls = policy + audit + limits
  return [
    `A bare hop of undici takes ${us(hop)} of processor time here. Policy (${us(policy)}), audit (${us(audit)}) and limits (${us(limits)}), each on its` +
      ` own, bring that to ${us(hop + controls)}, and a DPoP proof (${us(proof)}) to ${us(hop + controls + proof)}. Seen were ${us(unbound)} (unbound), ${us(mtls)}` +
      ` (mTLS, with TLS itself) and ${us(dpop)} (DPoP).`,
    `To carry as much as @fastify/reply-from a call may take ${us(replyFrom)}. Beyond the bare hop that leaves ${us(replyFrom - hop)} for TLS` +
      ` and every control, of which these three want ${us(controls)} by themselves. To carry half as much with DPoP leaves` +
      ` ${us(2 * replyFrom - hop)}, of which ${us(controls + proof)} are wanted.`,
  ]
}
