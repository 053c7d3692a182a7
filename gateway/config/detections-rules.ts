import type { DetectionName } from '../detections/rules.ts'
import type { Config } from './config.ts'
import type { DetectorsConfig } from './detectors-config.ts'
import type { ConfigProblem } from './problem.ts'

/** Detectors without which a rule sees nothing: any one of them is enough. */
const NEEDED: Partial<Record<DetectionName, readonly (readonly [Kind, 'request' | 'response'])[]>> = {
  secret_in_request: [['secrets', 'request']],
  secret_in_response: [['secrets', 'response']],
  injection_suspected: [
    ['injection', 'request'],
    ['injection', 'response'],
  ],
}
type Kind = keyof Pick<DetectorsConfig, 'secrets' | 'injection'>

/** Whoever wants agents locked for something relies on it being looked for. */
export function detecting({ detections, detectors }: Config): ConfigProblem[] {
  return Object.entries(NEEDED).flatMap(([name, needed]) => {
    const isBlind = needed.every(([kind, side]) => !detectors[kind][side])
    if (!isBlind || detections[name as DetectionName].action !== 'lock') return []
    const off = needed.map(([kind, side]) => `detectors.${kind}.${side}`).join(' and ')
    return [{ path: `detections.${name}.action`, reason: `locks nobody while off: ${off}` }]
  })
}
