import { parseArgs } from 'node:util'
import { openAuditIndex } from '../../audit/index/audit-index.ts'
import { type Hold, readHolds } from '../../audit/prune/holds.ts'
import { planDisclosures, pruneDisclosures } from '../../audit/prune/prune-disclosures.ts'
import { planPrune, pruneLogs } from '../../audit/prune/prune-logs.ts'
import { reachOfHolds } from '../../audit/prune/reach-of-holds.ts'
import { loadSections } from '../../config/load-sections.ts'
import { systemClock } from '../../lib/clock.ts'
import { VERSION } from '../../version.ts'
import type { Command } from '../command.ts'
import { timeIn } from './filter.ts'

const USAGE = `toolgate audit prune [--config FILE] [--logs-before TIME] [--disclosures-before TIME] [--dry-run] [--json]

Removes what is older than audit.retentionDays and audit.disclosures.retentionDays say, and is not held (toolgate audit
hold). Of the log whole epochs go, oldest first, that have ended and that a later start has on record. Before one goes,
an entry with its name, size and root is signed into a log of its own, so toolgate audit verify tells a pruned log from
one that vanished. Of disclosures the keys of whole days go, which forgets them in every copy, and then the files that
nothing can be read of any more. May run beside gateways.

  --config FILE               toolgate.yaml of the gateway (toolgate.yaml)
  --logs-before TIME          in place of audit.retentionDays
  --disclosures-before TIME   in place of audit.disclosures.retentionDays
  --dry-run                   say what would go, and leave everything where it is

Exit codes: 0 done, also when there is nothing to remove · 1 something could not be read or removed · 2 wrong usage
`

const DAY_MS = 86_400_000

export const prune: Command = {
  summary: 'remove what is older than it has to be kept',
  usage: USAGE,
  async run(args, { environment, print }) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        config: { type: 'string', default: 'toolgate.yaml' },
        'logs-before': { type: 'string' },
        'disclosures-before': { type: 'string' },
        'dry-run': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    })
    const config = loadSections(values.config, ['audit'], { environment }).audit
    const nowMs = systemClock.nowMs()
    const cutoff = (text: string | undefined, days: number): number =>
      text === undefined ? nowMs - days * DAY_MS : timeIn(text, nowMs)
    const holds = await holdsWithReach(config.directory)
    const beforeMs = cutoff(values['logs-before'], config.retentionDays)
    const options = { config, version: VERSION, beforeMs, holds }
    const plan = await planPrune(options)
    const { directory, retentionDays } = config.disclosures
    const forgotten = await planDisclosures(
      directory,
      cutoff(values['disclosures-before'], retentionDays),
      holds,
    )
    if (!values['dry-run']) {
      await pruneDisclosures(directory, forgotten)
      await pruneLogs(options, plan)
    }
    const logs = plan.logs.map(({ fields }) => fields)
    const gone = values['dry-run'] ? 'would go' : 'gone'
    print(
      values.json
        ? `${JSON.stringify({ dry_run: values['dry-run'], logs, kept_by: plan.keptBy, disclosures: forgotten.days })}\n`
        : [
            ...logs.map(({ node, epoch, size }) => `${gone}  log ${node}/${epoch}, ${size} entries\n`),
            ...forgotten.days.map((day) => `${gone}  disclosures of ${day}\n`),
            plan.keptBy === '' ? '' : `kept  ${plan.keptBy}\n`,
          ].join(''),
    )
    return 0
  },
}

/** What reaches into the time of a hold is looked up, where there is one. */
async function holdsWithReach(auditDirectory: string): Promise<readonly Hold[]> {
  const holds = await readHolds(auditDirectory)
  if (holds.length === 0) return holds
  using index = await openAuditIndex({ auditDirectory })
  return reachOfHolds(index, holds)
}
