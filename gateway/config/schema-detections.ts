import { DETECTION_NAMES, MINUTE_MS, ruleOf, type DetectionName } from '../detections/rules.ts'
import { closed, integer, milliseconds, oneOf } from './schema-parts.ts'

/** Each one is kept apart in the store, so that what an agent can grow there is bounded by it. */
const MOST_THRESHOLD = 1_000
const DAY_MS = 86_400_000

export const detectionsSchema = closed(
  Object.fromEntries(DETECTION_NAMES.map((name) => [name, detectionSchema(name)])),
)

function detectionSchema(name: DetectionName) {
  const { title, locks, defaults } = ruleOf(name)
  const canLock = locks.length > 0
  return {
    ...closed({
      action: {
        ...oneOf(canLock ? ['off', 'event', 'lock'] : ['off', 'event'], 'event'),
        ...(!canLock && { description: 'It locks nothing: who did it is not proven' }),
      },
      threshold: {
        ...integer(1, MOST_THRESHOLD, defaults.threshold),
        description:
          defaults.countedInMs === undefined
            ? 'How often in the window before it is raised'
            : 'How often in a minute before it is raised, whatever the window',
      },
      windowMs: {
        ...milliseconds(MINUTE_MS, DAY_MS, defaults.windowMs),
        description: 'Milliseconds; for as long it is not raised again of the same',
      },
      lock: closed({
        scope: oneOf(canLock ? locks : [defaults.lock], defaults.lock),
        writesOnly: { type: 'boolean', default: false, description: 'Lets reads go on' },
        forMs: milliseconds(MINUTE_MS, 30 * DAY_MS, 60 * MINUTE_MS),
      }),
    }),
    description: title,
  }
}
