import { createSecretKey } from 'node:crypto'
import { describe, expect, it, vi } from 'vitest'
import type { AuditLog, Durability } from '../../../../gateway/audit/audit-log.ts'
import { ENTRY_LIMIT_BYTES } from '../../../../gateway/audit/audit-log.ts'
import { openBlock, readBlockHeader } from '../../../../gateway/audit/disclosures/block.ts'
import type { DisclosureKeys, KeyName } from '../../../../gateway/audit/disclosures/disclosure-keys.ts'
import { DisclosureLog } from '../../../../gateway/audit/disclosures/disclosure-log.ts'
import { NOBODY } from '../../../../gateway/policy/evaluation/self-test.ts'
import { syntheticCall } from '../../../harness/synthetic-call.ts'
import { until } from '../../../harness/until.ts'

const KEY = createSecretKey(Buffer.alloc(32, 7))

interface Store {
  readonly blocks: { readonly bytes: Buffer; readonly durability: Durability }[]
  readonly asked: KeyName[]
  readonly lost: number[]
  readonly disclosures: DisclosureLog
  failing: boolean
  keysFailing: boolean
  /** Keys are made once this is. */
  keysReady: Promise<void>
  nowMs: number
}

function store(queueLimitCharacters?: number): Store {
  const made: Omit<Store, 'disclosures'> = {
    blocks: [],
    asked: [],
    lost: [],
    failing: false,
    keysFailing: false,
    keysReady: Promise.resolve(),
    nowMs: Date.UTC(2026, 10, 25, 9),
  }
  const log: AuditLog = {
    epoch: 'e',
    async append(entry, durability) {
      if (made.failing) throw new Error('the disk failed')
      made.blocks.push({ bytes: Buffer.from(entry), durability })
      return { epoch: 'e', index: 0 }
    },
    health: () => ({ state: 'open', queuedBytes: 0, detail: '' }),
    seal: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  }
  const keys: DisclosureKeys = {
    subjectOf: (tenant, principal) =>
      Buffer.from(`${tenant}/${principal}`.padEnd(16).slice(0, 16)).toString('hex'),
    async obtain(name) {
      if (made.keysFailing) throw new Error('no key')
      made.asked.push(name)
      await made.keysReady
      return KEY
    },
    find: async () => KEY,
  }
  const disclosures = new DisclosureLog({
    log,
    keys,
    clock: { nowMs: () => made.nowMs, monotonicMs: () => 0 },
    onLost: (calls) => made.lost.push(calls),
    ...(queueLimitCharacters !== undefined && { queueLimitCharacters }),
  })
  return Object.assign(made, { disclosures })
}

const call = (callId: string, principal = 'mira') =>
  syntheticCall({
    callId,
    declared: { rationale: 'because' },
    caller: { principal: { id: principal, groups: [], deviceCompliant: true, act: [] } },
  })

const plaintexts = ({ blocks }: Store): string[] =>
  blocks.map(({ bytes }) => openBlock(bytes, KEY)?.toString() ?? 'not opened')

describe('disclosures', () => {
  it('of one turn are encrypted together, one block for each subject', async () => {
    const made = store()
    for (const id of ['a', 'b', 'c'])
      made.disclosures.disclose(call(id, id === 'c' ? 'ann' : 'mira'), NOBODY, 'flushed')
    await made.disclosures[Symbol.asyncDispose]()
    expect(made.blocks.map(({ bytes }) => readBlockHeader(bytes)?.calls)).toEqual([['a', 'b'], ['c']])
    expect(made.asked.map(({ period }) => period)).toEqual(['2026-11-25', '2026-11-25'])
    expect(plaintexts(made)[0]).toMatch(/^a\t\["[\w-]{22}","input\.declared",.*\nb\t/)
    for (const { bytes } of made.blocks) expect(bytes.toString('latin1')).not.toContain('because')
  })

  it('of one principal are kept apart by day and by tenant', async () => {
    const made = store()
    const { caller } = call('a')
    const disclose = (callId: string, tenant: string): unknown =>
      made.disclosures.disclose(syntheticCall({ callId, caller: { ...caller, tenant } }), NOBODY, 'flushed')
    disclose('a', 'zyx')
    disclose('b', 'abc')
    disclose('c', 'zyx')
    made.nowMs += 86_400_000
    disclose('d', 'zyx')
    await made.disclosures[Symbol.asyncDispose]()
    const headers = made.blocks.flatMap(({ bytes }) => readBlockHeader(bytes) ?? [])
    expect(headers.map(({ calls }) => calls)).toEqual([['a', 'c'], ['b'], ['d']])
    expect(headers.map(({ key }) => key.period)).toEqual(['2026-11-25', '2026-11-25', '2026-11-26'])
    const [first, second, third] = headers.map(({ key }) => key.subject)
    expect(first).toBe(third)
    expect(first).not.toBe(second)
  })

  it('are as durable as the most durable entry among them', async () => {
    const made = store()
    made.disclosures.disclose(call('read'), NOBODY, 'flushed')
    made.disclosures.disclose(call('write'), NOBODY, 'strict')
    await made.disclosures[Symbol.asyncDispose]()
    expect(made.blocks.map(({ durability }) => durability)).toEqual(['strict'])
  })

  it('that are too many for one block, or too long, fill several', async () => {
    const made = store()
    const long = { ...NOBODY, params: { ...NOBODY.params, body: { text: '語'.repeat(50_000) } } }
    for (let index = 0; index < 300; index += 1)
      made.disclosures.disclose(call(`call-${index}`), NOBODY, 'flushed')
    made.disclosures.disclose(call('long'), long, 'flushed')
    await made.disclosures[Symbol.asyncDispose]()
    expect(made.blocks.length).toBeGreaterThan(3)
    for (const { bytes } of made.blocks) expect(bytes.length).toBeLessThan(ENTRY_LIMIT_BYTES)
    const headers = made.blocks.map(({ bytes }) => readBlockHeader(bytes)?.calls ?? [])
    expect(headers.flat().filter((id) => id === 'long').length).toBe(3)
    const together = made.blocks
      .filter((_, index) => headers[index]?.[0] === 'long')
      .map(({ bytes }) => openBlock(bytes, KEY) ?? Buffer.alloc(0))
    expect(Buffer.concat(together).toString()).toContain('語'.repeat(50_000))
  })

  it.each([
    ['the disk fails', (made: Store): boolean => (made.failing = true), 2],
    ['the key cannot be had', (made: Store): boolean => (made.keysFailing = true), 2],
  ] as const)('are counted as lost when %s, and nothing else happens', async (_, breakIt, expected) => {
    const made = store()
    breakIt(made)
    expect(made.disclosures.disclose(call('a'), NOBODY, 'strict')).toHaveProperty('input')
    made.disclosures.disclose(call('b'), NOBODY, 'strict')
    await made.disclosures[Symbol.asyncDispose]()
    await new Promise(setImmediate)
    expect(made.lost).toEqual([expected])
  })

  it('are lost rather than pile up', () => {
    const made = store(1_000)
    for (const id of ['a', 'b', 'c']) made.disclosures.disclose(call(id), NOBODY, 'flushed')
    expect(made.lost).toEqual([1, 1, 1])
  })

  it('are lost rather than pile up where keys of ever new people are slow to be made', async () => {
    const made = store(4_000)
    const ready = Promise.withResolvers<void>()
    made.keysReady = ready.promise
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    for (let index = 0; index < 20; index += 1) {
      made.disclosures.disclose(call(`call-${index}`, `person-${index}`), NOBODY, 'flushed')
      // Each is gathered by itself, and then waits for its key.
      vi.runAllTimers()
    }
    vi.useRealTimers()
    const lost = made.lost.length
    expect(lost).toBeGreaterThan(10)
    ready.resolve()
    await until(() => made.blocks.length === 20 - lost)
    made.disclosures.disclose(call('afterwards'), NOBODY, 'flushed')
    await made.disclosures[Symbol.asyncDispose]()
    expect(made.lost.length).toBe(lost)
  })
})

describe('a block', () => {
  it('opens with its key only, and unchanged', async () => {
    const made = store()
    made.disclosures.disclose(call('a'), NOBODY, 'flushed')
    await made.disclosures[Symbol.asyncDispose]()
    const bytes = made.blocks[0]?.bytes ?? Buffer.alloc(0)
    expect(openBlock(bytes, KEY)).toBeDefined()
    expect(openBlock(bytes, createSecretKey(Buffer.alloc(32)))).toBeUndefined()
    for (const at of [2, 30, bytes.length - 100, bytes.length - 1]) {
      const changed = Buffer.from(bytes)
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
      expect(openBlock(changed, KEY)).toBeUndefined()
    }
    for (const cut of [0, 1, 40, bytes.length - 1]) {
      const short = bytes.subarray(0, cut)
      expect(cut < 2 ? readBlockHeader(short) : openBlock(short, KEY)).toBeUndefined()
    }
  })
})
