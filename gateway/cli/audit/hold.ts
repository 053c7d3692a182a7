import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Hold, readHolds, writeHolds } from '../../audit/prune/holds.ts'
import { systemClock } from '../../lib/clock.ts'
import { printable } from '../../lib/scrub.ts'
import { type Command, UsageError } from '../command.ts'
import { timeIn } from './filter.ts'
import { RECORD_OPTIONS, recordPlaces } from './record-places.ts'

const USAGE = `toolgate audit hold [--audit FOLDER | --config FILE] [--json]
toolgate audit hold NAME --from TIME --to TIME --reason TEXT
toolgate audit hold NAME --release

Sets a legal hold over a time, releases one, or lists them. While it stands, toolgate audit prune removes nothing of that
time, neither logs nor disclosures, and no entry of a lock that was in force then or of an approval that was asked, answered
or used then, however much older it is: with it stays everything since.

  --from TIME, --to TIME    2026-11-25, 2026-11-25T09:30:00Z, or 90m, 24h, 7d ago
  --reason TEXT             why, for whoever comes to release it
  --release                 end the hold of this name

Exit codes: 0 done · 1 no such hold, one of that name exists, or the record cannot be written · 2 wrong usage
`

export const hold: Command = {
  summary: 'keep a time from being pruned',
  usage: USAGE,
  async run(args, surroundings) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        audit: RECORD_OPTIONS.audit,
        config: RECORD_OPTIONS.config,
        from: { type: 'string' },
        to: { type: 'string' },
        reason: { type: 'string' },
        release: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    })
    const { audit } = recordPlaces(values, surroundings)
    if (!existsSync(audit)) throw new Error(`there is no record in ${audit}`)
    const [name, ...more] = positionals
    if (more.length > 0) throw new UsageError('one hold at a time')
    const holds = await readHolds(audit)
    if (name !== undefined) {
      const changed = values.release ? without(holds, name) : [...holds, newHold(name, values, holds)]
      await writeHolds(audit, changed)
      return 0
    }
    for (const each of holds)
      surroundings.print(values.json ? `${JSON.stringify(asJson(each))}\n` : line(each))
    return 0
  },
}

interface HoldValues {
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly reason?: string | undefined
}

function newHold(name: string, { from, to, reason }: HoldValues, holds: readonly Hold[]): Hold {
  if (!/^[\w.-]{1,64}$/.test(name))
    throw new UsageError('a hold is named by letters, digits, dots and dashes')
  if (from === undefined || to === undefined || reason === undefined || reason === '')
    throw new UsageError('a hold needs --from, --to and --reason')
  if (holds.some((each) => each.name === name)) throw new Error(`there is a hold ${name} already`)
  const nowMs = systemClock.nowMs()
  const [fromMs, toMs] = [timeIn(from, nowMs), timeIn(to, nowMs)]
  if (fromMs > toMs) throw new UsageError('--from is after --to')
  return { name, reason, fromMs, toMs, setAtMs: nowMs }
}

function without(holds: readonly Hold[], name: string): Hold[] {
  const remaining = holds.filter((each) => each.name !== name)
  if (remaining.length === holds.length) throw new Error(`there is no hold ${name}`)
  return remaining
}

function asJson({ name, reason, fromMs, toMs, setAtMs }: Hold): object {
  return { name, reason, from: timeText(fromMs), to: timeText(toMs), set_at: timeText(setAtMs) }
}

function line({ name, reason, fromMs, toMs, setAtMs }: Hold): string {
  return `${name.padEnd(24)}  ${timeText(fromMs)} to ${timeText(toMs)}, since ${timeText(setAtMs)}: ${printable(reason, 1_024)}\n`
}

function timeText(timeMs: number): string {
  return new Date(timeMs).toISOString()
}
