import type { ApprovalEntry, DetectionEntry, LockEntry } from '../../audit/change-entry.ts'
import { nameOfActor } from '../../audit/history/name-of-actor.ts'
import type { EventEntry } from '../../audit/index/event.ts'
import { isDetectionName, ruleOf } from '../../detections/rules.ts'
import { assertNever } from '../../lib/assert-never.ts'
import type { Paint } from '../policy/colours.ts'
import { shown } from './shown.ts'

/** An event in few words. */
interface Summary {
  readonly what: string
  readonly who: string
  /** What `toolgate audit show` and `prove` find it by; empty where that is nothing. */
  readonly id: string
}

/** One line for a list. */
export function eventLine(entry: EventEntry, paint: Paint): string {
  const { what, who, id } = summaryOf(entry)
  const named = who === '' ? '' : `  ${paint('dim', shown(who))}`
  return `${shown(entry.time)}  ${shown(id).padEnd(36)}  ${paint('bold', entry.type.padEnd(9))}  ${shown(what)}${named}\n`
}

/** An event for a person to read, as it stands in a timeline. */
export function describeEvent(entry: EventEntry, paint: Paint): string {
  const { what, who, id } = summaryOf(entry)
  const lines: readonly (readonly [string, string])[] = [[entry.type, id], ['by', who], ...detailsOf(entry)]
  const told = lines.filter(([name, value]) => value !== '' && name !== '')
  const head = paint('bold', `${shown(entry.time)}  ${shown(what)}`)
  return `${head}\n${told.map(([name, value]) => `  ${paint('dim', name.padEnd(11))}${shown(value)}\n`).join('')}`
}

function summaryOf(entry: EventEntry): Summary {
  switch (entry.type) {
    case 'approval': {
      const { approval: id, by, kind, operation, state, verdict } = entry
      const said = verdict === undefined ? '' : ` to ${verdict}`
      return { what: `${kind} ${state}${said}: ${operation}`, who: nameOfActor(by), id }
    }
    case 'lock':
      return { what: `lock ${entry.state}: ${entry.scope}`, who: nameOfActor(entry.by), id: entry.lock }
    case 'detection':
      return { what: `${entry.severity} ${entry.rule}: ${entry.subject.name}`, who: '', id: entry.id }
    case 'channel':
      return { what: `${entry.result}: ${entry.detail || 'a click'}`, who: nameOfActor(entry.by), id: '' }
    case 'policy':
      return { what: `bundle ${entry.state} ${entry.revision ?? entry.problem ?? ''}`, who: '', id: '' }
    case 'config':
      return { what: `configuration ${entry.state} ${(entry.changed ?? []).join(', ')}`, who: '', id: '' }
    case 'key':
      return { what: `${entry.use} key ${entry.before} → ${entry.id}`, who: '', id: '' }
    case 'recovery':
      return { what: `${entry.node}/${entry.epoch} ended, ${entry.in_doubt} calls in doubt`, who: '', id: '' }
    case 'prune':
      return { what: `${entry.logs.length} logs removed`, who: '', id: '' }
    case 'start':
      return { what: `${entry.node} started, ${entry.gateway}`, who: '', id: '' }
    case 'stop':
      return { what: `stopped with ${entry.open_calls} calls open`, who: '', id: '' }
    default:
      return assertNever(entry)
  }
}

function detailsOf(entry: EventEntry): readonly (readonly [string, string])[] {
  switch (entry.type) {
    case 'approval':
      return approvalDetails(entry)
    case 'lock':
      return lockDetails(entry)
    case 'detection':
      return detectionDetails(entry)
    default:
      return []
  }
}

function approvalDetails(entry: ApprovalEntry): readonly (readonly [string, string])[] {
  const { by, call, comment = '', detail = '', groups, needed, principal, risk, state, task } = entry
  const asked = state === 'requested' || state === 'escalated'
  return [
    ['call', call],
    ['for', task === '' ? principal : `${principal}, task ${task}`],
    ['asked', asked ? `${needed} of ${groups.join(', ')}, risk ${risk}` : ''],
    ['proven by', by?.issuer === undefined ? '' : `${by.issuer} (${by.authentication ?? ''})`],
    ['said', comment],
    ['because', detail],
  ]
}

function lockDetails(entry: LockEntry): readonly (readonly [string, string])[] {
  const { expires, reason, release, tokens_before: before, writes_only: writesOnly } = entry
  return [
    ['because', reason],
    ['stops', writesOnly ? 'changes alone' : 'every call in its scope'],
    ['tokens', before === undefined ? '' : `issued before ${before} alone`],
    ['until', expires ?? ''],
    ['release by', release === 'anyone' ? '' : 'another person'],
  ]
}

function detectionDetails(entry: DetectionEntry): readonly (readonly [string, string])[] {
  const { count, detail, last_call: call, lock, rule: name, window_ms: windowMs } = entry
  // What another version looks out for has words that this one does not know.
  const rule = isDetectionName(name) ? ruleOf(name) : undefined
  return [
    ['seen', `${count} times in ${windowMs / 1_000} s`],
    ['what', detail],
    ['call', call ?? ''],
    ['lock set', lock === undefined ? '' : `${lock.id} on ${lock.scope}`],
    ['may mean', entry.hypothesis ?? rule?.hypothesis ?? ''],
    ['do first', entry.next_step ?? rule?.nextStep ?? ''],
  ]
}
