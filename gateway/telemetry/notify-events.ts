import { Counter, Gauge, type Registry } from 'prom-client'
import { DELIVERY_RESULTS, type QueueEvent } from '../notify/delivery-queue.ts'
import { EVENT_TYPES, eventIdOf, type NotifyEvent } from '../notify/event.ts'
import type { NotifyState } from '../notify/notifier.ts'
import { causeFields } from './call-line.ts'
import type { Log } from './log.ts'

export type NotifyEvents = ReturnType<typeof createNotifyEvents>

/** What telling people counts and says; nothing of what they are told. */
export function createNotifyEvents(log: Log, registry: Registry, states: () => readonly NotifyState[]) {
  const metrics = defineMetrics(registry, states)
  const failing = new Set<string>()
  return {
    notifyOpened(target: string): void {
      // A series that appears with its first failure has no rate for it.
      for (const result of DELIVERY_RESULTS) metrics.ended.inc({ target, result }, 0)
      metrics.failures.inc({ target }, 0)
    },
    notifyQueue(target: string, event: QueueEvent): void {
      switch (event.type) {
        case 'ended': {
          const { result } = event
          metrics.ended.inc({ target, result })
          if (result === 'delivered') return
          return log.write('error', 'notify.lost', { target, result, notice: eventIdOf(event.event) })
        }
        case 'failed':
          metrics.failures.inc({ target })
          if (failing.has(target)) return
          failing.add(target)
          return log.write('warn', 'notify.failed', { target, ...causeFields(event.cause) })
        case 'recovered':
          failing.delete(target)
          return log.write('info', 'notify.recovered', { target })
      }
    },
    notifyUntold(event: NotifyEvent): void {
      metrics.untold.inc({ event: event.type })
      log.write('warn', 'notify.untold', { notice: eventIdOf(event) })
    },
  }
}

function defineMetrics(registry: Registry, states: () => readonly NotifyState[]) {
  const registers = [registry]
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name, help, labelNames, registers })
  const gauge = (
    name: string,
    help: string,
    aggregator: 'sum' | 'max',
    read: (state: NotifyState) => number,
  ) => {
    const collect = function (this: Gauge): void {
      this.reset()
      for (const state of states()) this.set({ target: state.name }, read(state))
    }
    void new Gauge({ name, help, labelNames: ['target'], aggregator, registers, collect })
  }
  gauge(
    'toolgate_notify_queue_events',
    'Events that wait for a target to take them.',
    'sum',
    ({ events }) => events,
  )
  gauge(
    'toolgate_notify_lag_seconds',
    'Age of the oldest event that waits for a target.',
    'max',
    ({ lagSeconds }) => lagSeconds,
  )
  const untold = counter(
    'toolgate_notify_untold_total',
    'Events that no configured target takes, by their type.',
    ['event'],
  )
  for (const event of EVENT_TYPES) untold.inc({ event }, 0)
  return {
    untold,
    ended: counter('toolgate_notify_events_total', 'Events for a target, by what became of them.', [
      'target',
      'result',
    ]),
    failures: counter(
      'toolgate_notify_failures_total',
      'Attempts to tell a target that failed and are repeated while the event is worth it.',
      ['target'],
    ),
  }
}
