import { describe, expect, it } from 'vitest'
import type { AdmissionAnswer, AdmissionDemand } from '../../../gateway/store/admission-store.ts'
import {
  admissionDemand,
  admitted,
  DENIED,
  ERRORED,
  places,
  proof,
  quota,
  rate,
  SUCCEEDED,
} from './admission-demand.ts'

/** One adapter on a clock that the test moves. */
export interface StoreUnderTest extends AsyncDisposable {
  admit(demand: AdmissionDemand): Promise<AdmissionAnswer>
  /** Resolves once every settlement so far is counted. */
  settled(): Promise<void>
  advance(ms: number): Promise<void>
  nowMs(): number
}

/** What every admission store has to do, whatever it is made of. */
export function describeAdmissionStore(name: string, start: () => Promise<StoreUnderTest>): void {
  describe(`admission by ${name}`, () => {
    describeReplay(start)
    describeLimits(start)
    describeConcurrency(start)
    describeAgentBreaker(start)
    describeHistory(start)
    describeTasks(start)
    describeRecentOperations(start)
  })
}

function describeReplay(start: () => Promise<StoreUnderTest>): void {
  it('refuses a proof the second time, whatever it is used for', async () => {
    await using store = await start()
    const replay = proof(store.nowMs())
    admitted(await store.admit(admissionDemand({ replay })))
    const again = await store.admit(
      admissionDemand({ replay, operation: 'github.pulls/merge', access: 'write' }),
    )
    expect(again).toEqual({ kind: 'replayed' })
  })

  it('spends nothing of any limit and tells nothing of it when a proof is replayed', async () => {
    await using store = await start()
    const replay = proof(store.nowMs())
    const limits = { rates: [rate('pace', 10)], quotas: [quota('daily', 10)] }
    admitted(await store.admit(admissionDemand({ replay, ...limits })))
    for (let time = 0; time < 5; time++) {
      expect(await store.admit(admissionDemand({ replay, ...limits }))).toEqual({ kind: 'replayed' })
    }
    const next = admitted(await store.admit(admissionDemand(limits)))
    expect(next.limits.map(({ remaining }) => remaining)).toEqual([8, 8])
    expect(next.history.calls1m).toBe(1)
  })

  it('remembers the proof of a call that a limit refused', async () => {
    await using store = await start()
    const rates = [rate('single', 1)]
    admitted(await store.admit(admissionDemand({ rates })))
    const replay = proof(store.nowMs())
    expect(await store.admit(admissionDemand({ rates, replay }))).toMatchObject({ kind: 'limited' })
    expect(await store.admit(admissionDemand({ replay }))).toEqual({ kind: 'replayed' })
  })

  it('remembers the proof of a call by a stopped agent', async () => {
    await using store = await start()
    const agentBreaker = { failures: 1, windowMs: 60_000, openMs: 60_000 }
    admitted(await store.admit(admissionDemand({ agentBreaker }))).settle(DENIED)
    await store.settled()
    const replay = proof(store.nowMs())
    expect(await store.admit(admissionDemand({ agentBreaker, replay }))).toMatchObject({
      kind: 'agent-stopped',
    })
    expect(await store.admit(admissionDemand({ agent: 'issuer:other', replay }))).toEqual({
      kind: 'replayed',
    })
  })

  it('keeps the same proof id of two keys apart', async () => {
    await using store = await start()
    const expiresAtMs = store.nowMs() + 70_000
    admitted(await store.admit(admissionDemand({ replay: { key: 'one:jti', expiresAtMs } })))
    expect(await store.admit(admissionDemand({ replay: { key: 'two:jti', expiresAtMs } }))).toMatchObject({
      kind: 'admitted',
    })
  })
}

function describeLimits(start: () => Promise<StoreUnderTest>): void {
  it('admits the burst, refuses the next, and admits again after the wait it named', async () => {
    await using store = await start()
    const rates = [rate('pace', 6, 3)]
    for (const remaining of [2, 1, 0]) {
      const { limits } = admitted(await store.admit(admissionDemand({ rates })))
      expect(limits[0]).toMatchObject({ name: 'pace', quota: 6, windowMs: 60_000, remaining })
    }
    const refused = await store.admit(admissionDemand({ rates }))
    expect(refused).toMatchObject({ kind: 'limited', by: 'rate', name: 'pace', retryAfterMs: 10_000 })
    await store.advance(9_999)
    expect(await store.admit(admissionDemand({ rates }))).toMatchObject({ kind: 'limited', retryAfterMs: 1 })
    await store.advance(1)
    admitted(await store.admit(admissionDemand({ rates })))
  })

  it('counts a call in every limit or in none', async () => {
    await using store = await start()
    const wide = rate('wide', 100)
    const daily = quota('daily', 100)
    const narrow = rate('narrow', 1)
    const held = places('held', 100)
    const all = { rates: [wide, narrow], quotas: [daily], concurrency: [held] }
    admitted(await store.admit(admissionDemand(all)))
    for (let time = 0; time < 3; time++) {
      const refused = await store.admit(admissionDemand(all))
      expect(refused).toMatchObject({ kind: 'limited', name: 'narrow' })
    }
    const without = admitted(await store.admit(admissionDemand({ rates: [wide], quotas: [daily] })))
    expect(without.limits.map(({ remaining }) => remaining)).toEqual([98, 98])
  })

  it('names the limit with the longest wait', async () => {
    await using store = await start()
    const limits = { rates: [rate('fast', 60, 1), rate('slow', 1, 1)], quotas: [] }
    admitted(await store.admit(admissionDemand(limits)))
    expect(await store.admit(admissionDemand(limits))).toMatchObject({ name: 'slow', retryAfterMs: 60_000 })
  })

  it('gives a quota back at midnight UTC and not before', async () => {
    await using store = await start()
    const quotas = [quota('daily', 1)]
    const first = admitted(await store.admit(admissionDemand({ quotas })))
    expect(first.limits[0]).toMatchObject({ remaining: 0, windowMs: 86_400_000 })
    const untilMidnightMs = 86_400_000 - (store.nowMs() % 86_400_000)
    await store.advance(untilMidnightMs - 1)
    const refused = await store.admit(admissionDemand({ quotas }))
    expect(refused).toMatchObject({ kind: 'limited', by: 'quota', name: 'daily', retryAfterMs: 1 })
    await store.advance(1)
    admitted(await store.admit(admissionDemand({ quotas })))
  })

  it('does not lock callers out when a limit has been made smaller', async () => {
    await using store = await start()
    for (let time = 0; time < 10; time++)
      admitted(await store.admit(admissionDemand({ rates: [rate('pace', 10)] })))
    const refused = await store.admit(admissionDemand({ rates: [rate('pace', 60, 1)] }))
    expect(refused).toMatchObject({ kind: 'limited', retryAfterMs: 1_000 })
  })
}

function describeConcurrency(start: () => Promise<StoreUnderTest>): void {
  it('holds a place until the call is settled', async () => {
    await using store = await start()
    const concurrency = [places('two', 2)]
    const first = admitted(await store.admit(admissionDemand({ concurrency })))
    admitted(await store.admit(admissionDemand({ concurrency })))
    const refused = await store.admit(admissionDemand({ concurrency }))
    expect(refused).toMatchObject({ kind: 'limited', by: 'concurrency', name: 'two', retryAfterMs: 1_000 })
    first.settle(SUCCEEDED)
    await store.settled()
    admitted(await store.admit(admissionDemand({ concurrency })))
    expect(await store.admit(admissionDemand({ concurrency }))).toMatchObject({ kind: 'limited' })
  })
}

function describeAgentBreaker(start: () => Promise<StoreUnderTest>): void {
  const agentBreaker = { failures: 3, windowMs: 60_000, openMs: 120_000 }

  const fail = async (store: StoreUnderTest, times: number): Promise<void> => {
    for (let time = 0; time < times; time++) {
      admitted(await store.admit(admissionDemand({ agentBreaker }))).settle(ERRORED)
      await store.settled()
    }
  }

  it('stops an agent after so many failed calls, for so long, and nobody else', async () => {
    await using store = await start()
    await fail(store, 3)
    const stopped = await store.admit(admissionDemand({ agentBreaker }))
    expect(stopped).toEqual({ kind: 'agent-stopped', retryAfterMs: 120_000 })
    admitted(await store.admit(admissionDemand({ agentBreaker, agent: 'issuer:other' })))
    admitted(await store.admit(admissionDemand({ agentBreaker, tag: '{other}' })))
    await store.advance(119_999)
    expect(await store.admit(admissionDemand({ agentBreaker }))).toMatchObject({ retryAfterMs: 1 })
    await store.advance(1)
    expect(await store.admit(admissionDemand({ agentBreaker }))).toMatchObject({ kind: 'admitted' })
  })

  it('begins to count anew after a stop', async () => {
    await using store = await start()
    await fail(store, 3)
    await store.advance(120_000)
    await fail(store, 2)
    expect(await store.admit(admissionDemand({ agentBreaker }))).toMatchObject({ kind: 'admitted' })
  })

  it('forgets failures that are older than the window', async () => {
    await using store = await start()
    await fail(store, 2)
    await store.advance(70_000)
    await fail(store, 2)
    expect(await store.admit(admissionDemand({ agentBreaker }))).toMatchObject({ kind: 'admitted' })
  })

  it('is not held open by being asked, nor by calls that were in flight when it opened', async () => {
    await using store = await start()
    const inFlight = admitted(await store.admit(admissionDemand({ agentBreaker })))
    await fail(store, 3)
    await store.advance(60_000)
    inFlight.settle(ERRORED)
    await store.settled()
    for (let time = 0; time < 5; time++) await store.admit(admissionDemand({ agentBreaker }))
    await store.advance(60_000)
    await fail(store, 2)
    expect(await store.admit(admissionDemand({ agentBreaker }))).toMatchObject({ kind: 'admitted' })
  })

  it('does not count what a limit refused', async () => {
    await using store = await start()
    const rates = [rate('single', 1)]
    admitted(await store.admit(admissionDemand({ agentBreaker, rates })))
    for (let time = 0; time < 5; time++) await store.admit(admissionDemand({ agentBreaker, rates }))
    expect(await store.admit(admissionDemand({ agentBreaker }))).toMatchObject({ kind: 'admitted' })
  })
}

function describeHistory(start: () => Promise<StoreUnderTest>): void {
  it('counts calls of a minute, denials of ten, errors of an hour, for this agent of this tenant alone', async () => {
    await using store = await start()
    for (const feedback of [SUCCEEDED, DENIED, ERRORED, ERRORED]) {
      admitted(await store.admit(admissionDemand())).settle(feedback)
    }
    await store.settled()
    const { history } = admitted(await store.admit(admissionDemand()))
    expect(history).toMatchObject({ calls1m: 4, denials10m: 1, errors1h: 2 })
    for (const other of [{ agent: 'issuer:other' }, { tag: '{other}' }]) {
      const { history } = admitted(await store.admit(admissionDemand(other)))
      expect(history).toMatchObject({ calls1m: 0, denials10m: 0, errors1h: 0 })
    }
    await store.advance(60_000 - 1)
    expect(admitted(await store.admit(admissionDemand())).history.calls1m).toBe(5)
    await store.advance(80_000)
    expect(admitted(await store.admit(admissionDemand())).history).toMatchObject({
      calls1m: 0,
      denials10m: 1,
    })
    await store.advance(700_000)
    expect(admitted(await store.admit(admissionDemand())).history).toMatchObject({
      denials10m: 0,
      errors1h: 2,
    })
    await store.advance(3_600_000)
    expect(admitted(await store.admit(admissionDemand())).history).toMatchObject({ errors1h: 0 })
  })

  it('says first use until the operation has succeeded once', async () => {
    await using store = await start()
    for (const feedback of [DENIED, ERRORED, SUCCEEDED]) {
      const call = admitted(await store.admit(admissionDemand()))
      expect(call.history.firstUse).toBe(true)
      call.settle(feedback)
      await store.settled()
    }
    expect(admitted(await store.admit(admissionDemand())).history.firstUse).toBe(false)
    const other = await store.admit(admissionDemand({ operation: 'github.pulls/merge' }))
    expect(admitted(other).history.firstUse).toBe(true)
  })
}

function describeTasks(start: () => Promise<StoreUnderTest>): void {
  it('counts writes of a task while they are in flight and takes back those that were never sent', async () => {
    await using store = await start()
    const write = { access: 'write', task: 'CHG-1', operation: 'jira.addComment' } as const
    const first = admitted(await store.admit(admissionDemand(write)))
    const second = admitted(await store.admit(admissionDemand(write)))
    expect(second.history).toMatchObject({ writesTask: 1, operationsTask: ['jira.addComment'] })
    first.settle(DENIED)
    second.settle(ERRORED)
    await store.settled()
    const third = admitted(await store.admit(admissionDemand({ task: 'CHG-1' })))
    expect(third.history).toMatchObject({ writesTask: 1, operationsTask: [] })
  })

  it('lists operations of the task that succeeded, and keeps a task of the same name of another agent apart', async () => {
    await using store = await start()
    for (const operation of ['jira.getIssue', 'github.pulls/get', 'jira.getIssue']) {
      admitted(await store.admit(admissionDemand({ task: 'CHG-1', operation }))).settle(SUCCEEDED)
      await store.settled()
    }
    const own = admitted(await store.admit(admissionDemand({ task: 'CHG-1' })))
    expect([...own.history.operationsTask].sort()).toEqual(['github.pulls/get', 'jira.getIssue'])
    const foreign = await store.admit(admissionDemand({ task: 'CHG-1', agent: 'issuer:other' }))
    expect(admitted(foreign).history.operationsTask).toEqual([])
  })

  it('remembers 128 operations of a task and 256 tasks of an agent', async () => {
    await using store = await start()
    for (let index = 0; index < 130; index++) {
      const operation = `github.operation-${index}`
      admitted(await store.admit(admissionDemand({ task: 'wide', operation })))
    }
    const wide = admitted(await store.admit(admissionDemand({ task: 'wide' })))
    expect(wide.history.operationsTask).toHaveLength(128)
    await store.advance(1)
    for (let index = 0; index < 256; index++) {
      admitted(await store.admit(admissionDemand({ task: `narrow-${index}` })))
    }
    const again = admitted(await store.admit(admissionDemand({ task: 'wide' })))
    expect(again.history.operationsTask).toEqual([])
  })
}

function describeRecentOperations(start: () => Promise<StoreUnderTest>): void {
  const READING: Partial<AdmissionDemand> = { operation: 'people.getEmployee', task: 'CHG-1' }
  const POSTING: Partial<AdmissionDemand> = { operation: 'slack.chat.postMessage', access: 'write' }

  const recentFor = async (store: StoreUnderTest, wanted: Partial<AdmissionDemand>): Promise<string[]> => {
    const { history, settle } = admitted(await store.admit(admissionDemand(wanted)))
    settle(DENIED)
    await store.settled()
    return [...history.operations1h].sort()
  }

  it('sees what the agent read, under whatever task it declares afterwards', async () => {
    await using store = await start()
    admitted(await store.admit(admissionDemand(READING))).settle(SUCCEEDED)
    await store.settled()
    for (const task of ['CHG-1', 'CHG-2', '']) {
      expect(await recentFor(store, { ...POSTING, task })).toEqual(['people.getEmployee'])
    }
    for (const other of [{ agent: 'issuer:other' }, { tag: '{other}' }]) {
      expect(await recentFor(store, { ...POSTING, ...other })).toEqual([])
    }
  })

  it('sees a call that is still in flight, so that a pair sent at once cannot slip by', async () => {
    await using store = await start()
    const [reading, posting] = await Promise.all([
      store.admit(admissionDemand(READING)),
      store.admit(admissionDemand(POSTING)),
    ])
    const seen = [reading, posting].map((answer) => admitted(answer).history.operations1h)
    expect(seen).toContainEqual(['people.getEmployee'])
  })

  it('tells a call in flight what the agent did since, itself aside', async () => {
    await using store = await start()
    const posting = admitted(await store.admit(admissionDemand(POSTING)))
    expect(await posting.recall()).toEqual([])
    admitted(await store.admit(admissionDemand(READING))).settle(SUCCEEDED)
    await store.settled()
    expect(await posting.recall()).toEqual(['people.getEmployee'])
    const again = admitted(await store.admit(admissionDemand(POSTING)))
    expect([...(await again.recall())].sort()).toEqual(['people.getEmployee', 'slack.chat.postMessage'])
    again.settle(DENIED)
    await store.settled()
    expect(await posting.recall()).toEqual(['people.getEmployee'])
    await store.advance(3_600_000)
    expect(await posting.recall()).toEqual([])
  })

  it('forgets a call that was refused before anything was sent, and not one that failed after', async () => {
    await using store = await start()
    admitted(await store.admit(admissionDemand(READING))).settle(DENIED)
    await store.settled()
    expect(await recentFor(store, POSTING)).toEqual([])
    admitted(await store.admit(admissionDemand(READING))).settle(ERRORED)
    await store.settled()
    expect(await recentFor(store, POSTING)).toEqual(['people.getEmployee'])
  })

  it('keeps an operation that was used before when a later call of it is refused', async () => {
    await using store = await start()
    admitted(await store.admit(admissionDemand(READING))).settle(SUCCEEDED)
    const first = admitted(await store.admit(admissionDemand(READING)))
    const second = admitted(await store.admit(admissionDemand(READING)))
    first.settle(DENIED)
    second.settle(DENIED)
    await store.settled()
    expect(await recentFor(store, POSTING)).toEqual(['people.getEmployee'])
  })

  it('counts the hour from the end of a call, and of one that never ends from its beginning', async () => {
    await using store = await start()
    const long = admitted(await store.admit(admissionDemand(READING)))
    await store.advance(3_600_000 - 1)
    expect(await recentFor(store, POSTING)).toEqual(['people.getEmployee'])
    await store.advance(1)
    expect(await recentFor(store, POSTING)).toEqual([])
    long.settle(SUCCEEDED)
    await store.settled()
    await store.advance(3_600_000 - 1)
    expect(await recentFor(store, POSTING)).toEqual(['people.getEmployee'])
    await store.advance(1)
    expect(await recentFor(store, POSTING)).toEqual([])
  })

  it('remembers 128 operations, those used last, and cannot be made to forget by one operation in many calls', async () => {
    await using store = await start()
    for (let index = 0; index < 128; index++) {
      await store.advance(1)
      admitted(await store.admit(admissionDemand({ operation: `github.operation-${index}` }))).settle(
        SUCCEEDED,
      )
      await store.settled()
    }
    await store.advance(1)
    for (let index = 0; index < 10; index++) {
      admitted(await store.admit(admissionDemand({ operation: 'github.operation-1' })))
    }
    admitted(await store.admit(admissionDemand({ operation: 'github.operation-128' })))
    const recent = await recentFor(store, { operation: 'github.operation-1' })
    expect(recent).toHaveLength(129)
    expect(recent).not.toContain('github.operation-0')
    expect(recent).toContain('github.operation-127')
    expect(recent, 'what stands for the forgotten one').toContain('*')
    await store.advance(3_600_000 - 128)
    expect(await recentFor(store, { operation: 'github.operation-1' })).not.toContain('*')
  })
}
