import { readFile } from 'node:fs/promises'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import type { DetectionEntry } from '../../../gateway/audit/change-entry.ts'
import { detectionEntry } from '../../../gateway/audit/detection-entry.ts'
import { encodeEntry } from '../../../gateway/audit/entry.ts'
import { ocsfDetection } from '../../../gateway/audit/export/ocsf-detection.ts'
import type { Detection } from '../../../gateway/detections/detection.ts'
import type { CallId } from '../../../gateway/exchange.ts'
import { SECRETS } from '../../harness/detector-samples.ts'

const LOUD = `\u202eevil\u0000\ud800${'n'.repeat(5_000)}`

function detection(name: string, detail = 'seen'): Detection {
  return {
    id: '01900000-0000-7000-8000-000000000000',
    rule: 'token_moved',
    severity: 'error',
    subject: { kind: 'agent', tenant: name, issuer: name, name },
    seen: { agent: name, principal: name, tenant: name, peer: name, operation: name, callId: name as CallId },
    detail,
    count: 1,
    suppressed: 0,
    windowMs: 60_000,
    atMs: Date.UTC(2026, 10, 26),
    lock: { id: 'lock-1', scope: `agent:${name}` },
  }
}

const OF_ADDRESS: Partial<Detection> = {
  subject: { kind: 'peer', tenant: '', issuer: '', name: '192.0.2.1' },
  seen: { agent: '', principal: '', tenant: '', peer: '', operation: '', callId: '' },
  lock: undefined,
}

/** An entry as an earlier gateway wrote it. */
function earlier(): DetectionEntry {
  const { hypothesis: _hypothesis, next_step: _step, ...entry } = detectionEntry(detection('a'))
  return entry
}

describe('the entry of a detection', () => {
  it('is bounded and safe to print, whatever agents and people are called', () => {
    const bytes = encodeEntry(detectionEntry(detection(LOUD, LOUD)))
    expect(bytes.length).toBeLessThan(8_192)
    expect(bytes.toString()).not.toMatch(/\u202e|\\u0000|\\ud800/)
  })

  it('holds nothing that looks like a secret, should one have come into what was seen', () => {
    const entry = detectionEntry(detection('a', `saw ${SECRETS.github_token}`))
    expect(entry.detail).toBe('saw [removed]')
  })
})

describe('its event', async () => {
  const schema = JSON.parse(await readFile('gateway/audit/export/ocsf-2004.schema.json', 'utf8')) as object
  const accepts = new Ajv2020({ allErrors: true, strict: false }).compile(schema)

  it.each([
    ['of loud names', detectionEntry(detection(LOUD, LOUD))],
    ['of an entry without a hypothesis', earlier()],
    ['of a rule that only a later gateway has', { ...earlier(), rule: 'not_yet_known' }],
    ['of an address, and of no call', detectionEntry({ ...detection('a'), ...OF_ADDRESS })],
  ])('%s is one that OCSF takes', (_, entry) => {
    const event: unknown = JSON.parse(JSON.stringify(ocsfDetection(entry)))
    expect([accepts(event), accepts.errors]).toEqual([true, null])
  })
})
