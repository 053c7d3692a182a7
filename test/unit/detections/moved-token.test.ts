import { describe, expect, it } from 'vitest'
import type { Caller } from '../../../gateway/caller.ts'
import type { Progress } from '../../../gateway/exchange.ts'
import type { Outcome } from '../../../gateway/outcome.ts'
import { scrub } from '../../../gateway/lib/scrub.ts'
import { syntheticCall, syntheticOutcome } from '../../harness/synthetic-call.ts'
import { LOCK, startDetections } from './start-detections.ts'

describe('a token or key', () => {
  const from = (address: string, changes: Partial<Caller> = {}): readonly [Progress, Outcome] => {
    const call = syntheticCall()
    const peer = { address, secure: true, certificate: undefined }
    return [{ ...call, peer, caller: { ...call.caller, ...changes } }, syntheticOutcome()]
  }

  it('that comes from another workload is raised, and the one that it came from first is not', async () => {
    const running = startDetections({
      token_moved: { ...LOCK, lock: { scope: 'token', writesOnly: false, forMs: 60_000 } },
    })
    await running.end(from('192.0.2.1'), from('192.0.2.1'))
    expect(running.raised).toEqual([])
    await running.end(from('192.0.2.2'))
    expect(running.raised).toMatchObject([
      {
        rule: 'token_moved',
        detail: 'the token came from 192.0.2.1 (dpop) before, and from 192.0.2.2 (dpop) now',
      },
    ])
    expect(running.locks).toMatchObject([{ on: { kind: 'token', name: 'token-1' } }])
  })

  it('may come from another address when its certificate proves the same workload', async () => {
    const running = startDetections()
    const certificate = { x5t: 'x5t', uris: ['spiffe://zyx/agent'], notAfterMs: 0 }
    const call = syntheticCall()
    const proven = (address: string): readonly [Progress, Outcome] => [
      { ...call, peer: { address, secure: true, certificate } },
      syntheticOutcome(),
    ]
    await running.end(proven('192.0.2.1'), proven('192.0.2.2'))
    expect(running.raised).toEqual([])
  })

  it.each([
    ['an address', undefined, '192.0.2.9 (dpop)'],
    [
      'a certificate without a name',
      { x5t: 'aB3d'.repeat(10), uris: [], notAfterMs: 0 },
      'certificate 681ddd',
    ],
    ['a name', { x5t: 'x5t', uris: ['spiffe://zyx/9'], notAfterMs: 0 }, 'spiffe://zyx/9 (dpop)'],
  ])('is said to come from %s in words that nobody takes for a secret', async (_, certificate, words) => {
    const running = startDetections()
    const peer = { address: '192.0.2.9', secure: true, certificate }
    await running.end(from('192.0.2.1'), [{ ...syntheticCall(), peer }, syntheticOutcome()])
    const detail = running.raised.map((each) => each.detail).join()
    expect(detail).toContain(words)
    expect(scrub(detail, 256)).toBe(detail)
  })

  it('that two agents use is raised', async () => {
    const running = startDetections()
    const { agent } = syntheticCall().caller
    await running.end(from('192.0.2.1'))
    await running.end(from('192.0.2.1', { tokenId: 'token-2', agent: { ...agent, id: 'other' } }))
    expect(running.raised).toMatchObject([
      { rule: 'token_moved', detail: 'the key is that of https://issuer.example#change-review, too' },
    ])
  })
})
