import { describe, expect, it } from 'vitest'
import type { NotifyEvent } from '../../../gateway/notify/event.ts'
import { pagerDutyEvent } from '../../../gateway/notify/pagerduty-target.ts'
import { detectionNews, lockNews, anApproval, approvalNews } from '../../harness/news.ts'

interface Sent {
  readonly event_action: string
  readonly dedup_key: string
  readonly payload?: {
    readonly summary: string
    readonly severity: string
    readonly custom_details: Readonly<Record<string, unknown>>
  }
}

const sent = (event: NotifyEvent): Sent => pagerDutyEvent(event, 'gw.zyx.example') as Sent

describe('an alert of PagerDuty', () => {
  it('is triggered when a lock is set, and that same one is resolved when it ends', () => {
    const set = sent(lockNews())
    expect(set).toMatchObject({ event_action: 'trigger', payload: { severity: 'error' } })
    for (const type of ['lock.released', 'lock.expired'] as const)
      expect(sent(lockNews({ type }))).toEqual({ event_action: 'resolve', dedup_key: set.dedup_key })
    expect(sent(lockNews({ type: 'lock.release_requested' })).event_action).toBe('trigger')
  })

  it('is critical where everything is locked', () => {
    const { lock } = lockNews()
    expect(sent(lockNews({ lock: { ...lock, scope: 'all' } })).payload?.severity).toBe('critical')
  })

  it('is one for all that one agent is seen doing of one kind', () => {
    const first = sent(detectionNews())
    expect(sent(detectionNews({ id: 'another' })).dedup_key).toBe(first.dedup_key)
    expect(sent(detectionNews({ kind: 'burst' })).dedup_key).not.toBe(first.dedup_key)
    expect(sent(detectionNews({ agent: 'another' })).dedup_key).not.toBe(first.dedup_key)
  })

  it('is resolved with the approval that it is about', () => {
    const asked = sent(approvalNews())
    expect(sent(approvalNews({ type: 'approval.escalated' }))).toMatchObject({
      event_action: 'trigger',
      dedup_key: asked.dedup_key,
    })
    const denied = approvalNews({ type: 'approval.denied', approval: anApproval({ state: 'denied' }) })
    expect(sent(denied)).toEqual({ event_action: 'resolve', dedup_key: asked.dedup_key })
  })

  it('tells nothing of what is in the call', () => {
    expect(JSON.stringify(sent(approvalNews()))).not.toContain('refs/heads/main')
  })

  it('keeps to the bounds of the Events API, whatever agents are called', () => {
    const long = 'a'.repeat(5_000)
    const { lock } = lockNews()
    const event = sent(lockNews({ by: long, lock: { ...lock, scope: `agent:${long}`, reason: long } }))
    expect(event.payload?.summary.length).toBeLessThanOrEqual(1_024)
    const detected = sent(detectionNews({ agent: long }))
    expect(detected.dedup_key.length).toBeLessThanOrEqual(255)
    expect(JSON.stringify(detected).length).toBeLessThan(8_192)
    expect(sent(detectionNews({ agent: `${long}b` })).dedup_key).not.toBe(detected.dedup_key)
  })

  it('holds no secret that somebody typed as the reason of a lock', () => {
    const { lock } = lockNews()
    const event = sent(lockNews({ lock: { ...lock, reason: 'leaked ghp_0123456789abcdefABCDEF' } }))
    expect(JSON.stringify(event)).not.toContain('ghp_')
  })
})
