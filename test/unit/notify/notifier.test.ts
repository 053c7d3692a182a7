import { describe, expect, it } from 'vitest'
import type { NotifyConfig, NotifyTargetConfig } from '../../../gateway/config/notify-config.ts'
import { systemClock } from '../../../gateway/lib/clock.ts'
import type { NotifyEvent } from '../../../gateway/notify/event.ts'
import { Notifier } from '../../../gateway/notify/notifier.ts'
import { detectionNews, lockNews, anApproval, approvalNews, policyNotice } from '../../harness/news.ts'
import { until } from '../../harness/until.ts'

const anything = { events: [], groups: [], webhook: undefined, pagerduty: undefined, slack: undefined }

function configOf(targets: Readonly<Record<string, Partial<NotifyTargetConfig>>>): NotifyConfig {
  return {
    slack: undefined,
    voteSenders: {},
    queue: { limitEvents: 10, giveUpMs: 60_000 },
    targets: Object.fromEntries(
      Object.entries(targets).map(([name, more]) => [name, { ...anything, ...more }]),
    ),
  }
}

function open(targets: Readonly<Record<string, Partial<NotifyTargetConfig>>>) {
  const told: string[] = []
  const untold: string[] = []
  const opened: string[] = []
  const notifier = new Notifier({
    openTarget: (name) => {
      opened.push(name)
      return {
        deliver: (event) => Promise.resolve(void told.push(`${name} ${event.type}`)),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }
    },
    clock: systemClock,
    onEvent: () => undefined,
    onUntold: ({ type }) => void untold.push(type),
  })
  notifier.prepare(configOf(targets))()
  return { notifier, told, untold, opened }
}

describe('a target', () => {
  const escalated = approvalNews({ type: 'approval.escalated', approval: anApproval({ escalated: true }) })
  const afterwards = approvalNews({
    type: 'approval.denied',
    approval: anApproval({ state: 'denied', escalated: true }),
  })

  it.each<[string, Partial<NotifyTargetConfig>, NotifyEvent, boolean]>([
    ['all that there is, unless it says otherwise', {}, lockNews(), true],
    ['the families that it names', { events: ['lock'] }, lockNews(), true],
    ['the types that it names', { events: ['lock.set'] }, lockNews({ type: 'lock.expired' }), false],
    ['what is the business of its groups', { groups: ['soc'] }, policyNotice(), true],
    ['nothing that is the business of others', { groups: ['soc'] }, approvalNews(), false],
    ['what is the business of nobody in particular', { groups: ['soc'] }, detectionNews(), true],
    ['an approval, where its groups may answer', { groups: ['devsecops-change-review'] }, escalated, true],
    ['an approval that reaches the escalation group', { groups: ['security-on-call'] }, escalated, true],
    ['no approval before it reaches them', { groups: ['security-on-call'] }, approvalNews(), false],
    ['how an approval ended that had reached them', { groups: ['security-on-call'] }, afterwards, true],
  ])('is told %s', async (_, settings, event, isTold) => {
    const { notifier, told, untold } = open({ here: settings })
    notifier.notify(event)
    await notifier[Symbol.asyncDispose]()
    expect(told).toEqual(isTold ? [`here ${event.type}`] : [])
    expect(untold).toEqual(isTold ? [] : [event.type])
  })
})

it('nobody is missed where nobody is to be told of anything', () => {
  const { notifier, untold } = open({})
  notifier.notify(lockNews())
  expect(untold).toEqual([])
})

it('a reload opens what has changed, keeps what has not, and ends what is gone', async () => {
  const { notifier, told, opened } = open({ kept: {}, changed: {}, gone: {} })
  const apply = notifier.prepare(configOf({ kept: {}, changed: { events: ['lock'] } }))
  notifier.notify(policyNotice())
  apply()
  notifier.notify(lockNews())
  await until(() => told.length === 5)
  expect(opened).toEqual(['kept', 'changed', 'gone', 'changed'])
  expect([...told].sort()).toEqual([
    'changed lock.set',
    'changed policy.notice',
    'gone policy.notice',
    'kept lock.set',
    'kept policy.notice',
  ])
  expect(notifier.states().map(({ name }) => name)).toEqual(['kept', 'changed'])
  await notifier[Symbol.asyncDispose]()
})
