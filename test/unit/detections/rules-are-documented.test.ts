import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { DETECTION_NAMES, ruleOf } from '../../../gateway/detections/rules.ts'

const MINUTES_OF: Readonly<Record<string, number>> = { min: 1, h: 60 }

it('every rule stands in the README with its threshold, its window and what it can lock', async () => {
  const page = await readFile('gateway/detections/README.md', 'utf8')
  const rows = page.matchAll(/^\| `(\w+)` \| (.+?) \| (\d+) in (\d+) (min|h) \| (.+?) \|$/gm)
  const documented = [...rows].map(([, name, title, threshold, count, unit = '', locks = '']) => ({
    name,
    title,
    threshold: Number(threshold),
    windowMs: Number(count) * (MINUTES_OF[unit] ?? 0) * 60_000,
    locks: locks === 'nothing' ? [] : locks.split(', '),
  }))
  expect(documented).toEqual(
    DETECTION_NAMES.map((name) => {
      const { title, locks, defaults } = ruleOf(name)
      return {
        name,
        title,
        threshold: defaults.threshold,
        windowMs: defaults.countedInMs ?? defaults.windowMs,
        locks,
      }
    }),
  )
})
