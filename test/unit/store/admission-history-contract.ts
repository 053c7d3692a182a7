import { expect, it } from 'vitest'
import type { AdmissionDemand } from '../../../gateway/store/admission-store.ts'
import { admissionDemand, admitted, DENIED, ERRORED, SUCCEEDED } from './admission-demand.ts'
import type { StoreUnderTest } from './admission-store-under-test.ts'

export function describeHistory(start: () => Promise<StoreUnderTest>): void {
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

export function describeTasks(start: () => Promise<StoreUnderTest>): void {
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

export function describeRecentOperations(start: () => Promise<StoreUnderTest>): void {
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
