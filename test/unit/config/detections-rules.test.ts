import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ConfigFolder, configFolder, MINIMAL } from './minimal-config.ts'

let place: ConfigFolder
let problemsOf: ConfigFolder['problemsOf']
beforeAll(() => {
  place = configFolder()
  ;({ problemsOf } = place)
})
afterAll(() => place[Symbol.dispose]())

describe('mistakes', () => {
  it.each([
    ['a thing to look out for that nobody knows', 'detections: { denials: {} }', 'detections'],
    ...[
      ['denials_repeated', 'threshold: 0', 'threshold'],
      ['denials_repeated', 'threshold: 1001', 'threshold'],
      ['calls_burst', 'threshold: 1.5', 'threshold'],
      ['token_moved', 'windowMs: 59999', 'windowMs'],
      ['token_moved', 'windowMs: 86400001', 'windowMs'],
      ['secret_in_request', 'action: alert', 'action'],
      ['secret_in_request', 'lock: { scope: task }', 'lock.scope'],
      ['secret_in_request', 'lock: { forMs: 59999 }', 'lock.forMs'],
      // Whoever did it is not proven, or would be the victim.
      ['proof_replayed', 'action: lock', 'action'],
      ['credential_errors', 'action: lock', 'action'],
      ['vote_not_entitled', 'lock: { scope: token }', 'lock.scope'],
      ['approvals_spike', 'lock: { scope: token }', 'lock.scope'],
    ].map(([name, text, path]) => [
      `${name} with ${text}`,
      `detections: { ${name}: { ${text} } }`,
      `detections.${name}.${path}`,
    ]),
    [
      'a lock for what no detector looks for',
      'detectors: { secrets: { response: false } }\ndetections: { secret_in_response: { action: lock } }',
      'detections.secret_in_response.action',
    ],
    [
      'a lock for injection that is looked for nowhere',
      'detectors: { injection: { request: false, response: false } }\ndetections: { injection_suspected: { action: lock } }',
      'detections.injection_suspected.action',
    ],
  ])('%s is refused', (_what, text, path) => {
    expect(problemsOf(`${MINIMAL}\n${text}\n`).map((problem) => problem.path)).toContain(path)
  })
})
