import { readFile } from 'node:fs/promises'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DetectionEntry } from '../../gateway/audit/change-entry.ts'
import { DETECTION_NAMES, type DetectionName, ruleOf } from '../../gateway/detections/rules.ts'
import { SECRETS } from '../harness/detector-samples.ts'
import { until } from '../harness/until.ts'
import { exported, fileLines, findingsIn, idsIn, syslogLines, webhookLines } from './detections-exported.ts'
import { PROVOCATIONS } from './detections-provocations.ts'
import { type Caller, DENIED, openScene, PLAIN, type Scene } from './detections-scene.ts'

let scene: Scene
beforeAll(async () => {
  scene = await openScene()
})
afterAll(() => scene[Symbol.asyncDispose]())

/** Every rule has an agent of its own, so that what one row raises and locks is not another's. */
const agentOf = (rule: DetectionName): string => `agent-${rule.replaceAll('_', '-')}`

async function raisedOf(agent: string): Promise<DetectionEntry[]> {
  return (await scene.detections()).filter((entry) => entry.agent === agent)
}

interface Happened {
  readonly agent: string
  /** Whose calls led to it. */
  readonly caller: Caller
  readonly entry: DetectionEntry
}

const happenings = new Map<DetectionName, Promise<Happened>>()

/** What came of provoking the rule, which is done once. */
function happened(rule: DetectionName): Promise<Happened> {
  const known = happenings.get(rule) ?? provoke(rule)
  happenings.set(rule, known)
  return known
}

async function provoke(rule: DetectionName): Promise<Happened> {
  const agent = agentOf(rule)
  const caller = await PROVOCATIONS[rule].provoke(scene, agent)
  const found: DetectionEntry[] = []
  await until(async () => {
    // Of an address no agent is named.
    const entries = (await scene.detections()).filter((each) => (each.agent ?? agent) === agent)
    found.push(...entries.filter((each) => each.rule === rule))
    return found.length > 0
  })
  const [entry] = found
  if (entry === undefined) throw new Error(`${rule} was not raised`)
  return { agent, caller, entry }
}

async function everythingHappened(): Promise<DetectionEntry[]> {
  for (const rule of DETECTION_NAMES) await happened(rule)
  return scene.detections()
}

const [LOCKING, TELLING] = [true, false].map((locks) =>
  DETECTION_NAMES.filter((rule) => (PROVOCATIONS[rule].stopped !== undefined) === locks),
) as [DetectionName[], DetectionName[]]

describe('a rule', () => {
  it.each(DETECTION_NAMES)('%s is raised by what really happens, with what it may mean', async (rule) => {
    const { entry } = await happened(rule)
    const { says, subject } = PROVOCATIONS[rule]
    const { hypothesis, nextStep, severity } = ruleOf(rule)
    expect(entry).toMatchObject({
      ...says,
      hypothesis,
      next_step: nextStep,
      severity,
      subject: { kind: subject },
    })
    const labels = { rule, locked: String(entry.lock !== undefined) }
    expect(await scene.toolgate.metric('toolgate_detections_total', labels)).toBeGreaterThan(0)
  })

  it.each(DETECTION_NAMES)('%s is raised with what else the same calls raise, and no more', async (rule) => {
    const { agent, entry } = await happened(rule)
    const expected = new Set([...(entry.agent === agent ? [rule] : []), ...(PROVOCATIONS[rule].beside ?? [])])
    await until(async () => (await raisedOf(agent)).length >= expected.size)
    expect(new Set((await raisedOf(agent)).map((each) => each.rule))).toEqual(expected)
  })

  it.each(LOCKING)('%s has the next call refused, and no other', async (rule) => {
    const { agent, caller, entry } = await happened(rule)
    const { stopped, free } = PROVOCATIONS[rule]
    expect(entry.lock?.id).toMatch(/^[0-9a-f-]{36}$/)
    expect(await stopped?.(scene, caller, agent)).toMatchObject({ status: 403, code: 'lock.engaged' })
    expect(await free(scene, caller, agent)).toMatchObject({ status: 200, decision: 'allow' })
  })

  it.each(TELLING)('%s locks nobody, because nobody is proven', async (rule) => {
    const { agent, caller, entry } = await happened(rule)
    expect([entry.lock, entry.subject.kind]).toEqual([undefined, 'peer'])
    expect(await PROVOCATIONS[rule].free(scene, caller, agent)).toMatchObject({ status: 200 })
  })

  it('that can lock is shown to, and one that cannot is shown not to', () => {
    expect(LOCKING).toEqual(DETECTION_NAMES.filter((rule) => ruleOf(rule).locks.length > 0))
  })
})

describe('what was raised', () => {
  it('reaches the SIEM by webhook, syslog and file, each once, and people by their target', async () => {
    const raised = await everythingHappened()
    const ids = raised.map(({ id }) => id).sort()
    expect(new Set(raised.map(({ rule }) => rule))).toEqual(new Set(DETECTION_NAMES))
    await until(() => scene.notices.received.length >= ids.length)
    await until(async () => idsIn(await fileLines(scene)).length >= ids.length)
    await until(
      () => idsIn(webhookLines(scene)).length >= ids.length && idsIn(syslogLines(scene)).length >= ids.length,
    )
    for (const lines of [await fileLines(scene), webhookLines(scene), syslogLines(scene)])
      expect(idsIn(lines)).toEqual(ids)
    const told = scene.notices.received.map(({ text }) => text)
    for (const { id, rule } of raised) {
      const { hypothesis, nextStep } = ruleOf(rule as DetectionName)
      const notice = told.find((text) => text.includes(id))
      for (const words of [hypothesis, nextStep]) expect(notice).toContain(words)
    }
    const lines = (await scene.toolgate.logLines()).filter(({ event }) => event === 'detection.raised')
    expect(new Set(lines.map(({ detection }) => detection))).toEqual(new Set(ids))
  })

  it('is a Detection Finding that the schema of class 2004 accepts, whichever way it goes out', async () => {
    const schema = JSON.parse(await readFile('gateway/audit/export/ocsf-2004.schema.json', 'utf8')) as object
    const accepts = new Ajv2020({ allErrors: true, strict: false }).compile(schema)
    const raised = await everythingHappened()
    await until(() =>
      [webhookLines(scene), syslogLines(scene)].every((lines) => idsIn(lines).length >= raised.length),
    )
    for (const lines of [
      webhookLines(scene),
      syslogLines(scene),
      await exported(scene, '--format', 'ocsf'),
    ]) {
      const findings = findingsIn(lines)
      expect(findings.length).toBe(raised.length)
      for (const finding of findings) {
        expect([accepts(finding), accepts.errors]).toEqual([true, null])
        const entry = raised.find(({ id }) => id === finding.finding_info.uid)
        expect(finding).toMatchObject({
          finding_info: { desc: entry?.hypothesis, types: [entry?.rule] },
          remediation: { desc: entry?.next_step },
        })
      }
    }
  })

  it('is in the table, the entries and the report of an export, between the calls', async () => {
    const raised = await everythingHappened()
    const [head = '', ...rows] = await exported(scene, '--format', 'csv')
    expect(head).toContain('detection,detection_rule,severity,subject,count,detail,hypothesis,next_step,lock')
    const lines = await exported(scene, '--format', 'jsonl')
    const page = (await exported(scene, '--format', 'html')).join('\n')
    for (const { id, rule } of raised) {
      expect(rows.filter((row) => row.includes(`${id},${rule}`)).length).toBe(1)
      expect(lines.filter((line) => line.startsWith(`{"detection":"${id}"`)).length).toBe(1)
      expect(page).toContain(id)
    }
    const times = rows.map((row) => row.slice(0, row.indexOf(',')))
    expect(times).toEqual(times.toSorted())
  })

  it('is exported with the calls that are asked for, and not with others', async () => {
    const rulesIn = async (...args: string[]): Promise<string[]> => {
      const lines = await exported(scene, '--format', 'jsonl', ...args)
      return lines
        .map((line) => JSON.parse(line) as { readonly entries: readonly DetectionEntry[] })
        .flatMap(({ entries }) => entries.flatMap(({ type, rule }) => (type === 'detection' ? [rule] : [])))
    }
    await everythingHappened()
    expect(await rulesIn('--agent', agentOf('production_attempted'))).toEqual(['production_attempted'])
    expect(new Set(await rulesIn('--task', 'held'))).toContain('vote_not_entitled')
    expect(await rulesIn('--task', 'held')).not.toContain('calls_burst')
    const [denied] = await raisedOf(agentOf('production_attempted'))
    expect(await rulesIn('--call', denied?.last_call ?? '')).toEqual(['production_attempted'])
    expect(await rulesIn('--to', '1h')).toEqual([])
  })
})

describe('a credential', () => {
  it('that an agent sends wherever it can, or is given, is in no event, record, log or notice', async () => {
    const agent = 'agent-that-leaks'
    const target = `/github/repos/zyx/${SECRETS.npm_token}/issues/1/comments?page=${SECRETS.stripe_key}`
    const headers = {
      'content-type': 'application/json',
      'user-agent': SECRETS.slack_token,
      'toolgate-task': SECRETS.docker_token,
      'toolgate-ticket': SECRETS.sendgrid_key,
      'toolgate-rationale': `because ${SECRETS.google_api_key} works`,
    }
    const body = JSON.stringify({
      body: SECRETS.github_token,
      [SECRETS.shopify_token]: SECRETS.aws_access_key,
    })
    const { callId } = await scene.send(scene.caller(agent), 'POST', target, { headers, body })
    await until(async () => (await raisedOf(agent)).some(({ rule }) => rule === 'secret_in_request'))
    const entry = (await raisedOf(agent)).find(({ rule }) => rule === 'secret_in_request')
    expect(entry).toMatchObject({
      last_call: callId,
      detail: expect.stringContaining('github_token') as unknown,
    })
    await until(() => scene.notices.received.some(({ text }) => text.includes(entry?.id ?? '')))
    await until(() => webhookLines(scene).some((line) => line.includes(entry?.id ?? '')))
    const places = {
      record: JSON.stringify(await scene.toolgate.records()),
      log: JSON.stringify(await scene.toolgate.logLines()),
      webhook: webhookLines(scene).join('\n'),
      notices: scene.notices.received.map(({ text }) => text).join('\n'),
      metrics: (await scene.toolgate.gateway.metrics()).text,
      table: (await exported(scene, '--format', 'csv')).join('\n'),
      ocsf: (await exported(scene, '--format', 'ocsf')).join('\n'),
    }
    for (const [place, text] of Object.entries(places)) {
      for (const [name, secret] of Object.entries(SECRETS))
        expect([place, name, text.includes(secret)]).toEqual([place, name, false])
    }
  })
})

describe('a configuration read anew', () => {
  it('changes what is looked out for, and keeps what was counted', async () => {
    const { gateway, loaded } = scene.toolgate
    const agent = 'agent-that-tries'
    const caller = scene.caller(agent)
    const denials = { ...loaded.detections.denials_repeated, action: 'event', threshold: 2 } as const
    await scene.send(caller, 'GET', DENIED)
    await gateway.reload(() => ({
      ...loaded,
      detections: { ...loaded.detections, denials_repeated: denials },
    }))
    await scene.send(caller, 'GET', DENIED)
    await until(async () => (await raisedOf(agent)).length > 0)
    expect(await raisedOf(agent)).toMatchObject([{ rule: 'denials_repeated', count: 2 }])
    expect(await scene.send(caller, 'GET', PLAIN)).toMatchObject({ status: 200 })
    await gateway.reload(() => loaded)
  })
})
