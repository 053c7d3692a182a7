import type { Change, Check, Finding } from './check.ts'

const RETENTION = /^\s*retention_in_days\s*=\s*(\d+)/
const STANDARD_DAYS = 365

/** A log group ends below the standard, and the change is what brings it there. */
export const logRetention: Check = (change: Change) =>
  change.files.flatMap((file) => {
    const before = Math.max(...file.removed.flatMap((text) => daysIn(text) ?? []))
    const isNew = before === Number.NEGATIVE_INFINITY
    return file.added.flatMap((line): Finding[] => {
      const days = daysIn(line.text)
      if (days === undefined || days >= STANDARD_DAYS || (!isNew && days >= before)) return []
      return [
        {
          check: 'log-retention',
          standard: 'SEC-STD-04',
          severity: 'medium',
          file: file.path,
          line: line.number,
          evidence: isNew ? `${days} days` : `${before} days become ${days}`,
          advice: `Keep audit logs for ${STANDARD_DAYS} days or longer.`,
        },
      ]
    })
  })

/** CloudWatch reads 0 as "never delete". */
function daysIn(text: string): number | undefined {
  const days = RETENTION.exec(text)?.[1]
  if (days === undefined) return undefined
  return Number(days) === 0 ? Number.POSITIVE_INFINITY : Number(days)
}
