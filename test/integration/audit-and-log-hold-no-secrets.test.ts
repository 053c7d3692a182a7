import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openAudit } from '../../gateway/audit/open-audit.ts'
import { readEntries } from '../../gateway/audit/read-entries.ts'
import type { CallId, Progress } from '../../gateway/exchange.ts'
import type { Outcome } from '../../gateway/outcome.ts'
import { systemClock } from '../../gateway/lib/clock.ts'
import { createRecord } from '../../gateway/stages/record.ts'
import { createRecordUnparsed } from '../../gateway/stages/record-unparsed.ts'
import { createTelemetry } from '../../gateway/telemetry/telemetry.ts'
import { auditConfig } from '../harness/audit-config.ts'
import { syntheticCall, syntheticOutcome, syntheticSealed } from '../harness/synthetic-call.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'

const TOKEN = [
  'eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9',
  'eyJzdWIiOiJtaXJhIn0',
  'c2lnbmF0dXJlLWJ5dGVz',
].join('.')
const PASTED = `ghp_${'aB3dE6gH9'.repeat(4)}`
const COOKIE = 'session-cookie-value-31337'
const PASSWORD = 'correct-horse-battery'
const ACCOUNT = '40817810099910004312'
const BODY = JSON.stringify({ account: ACCOUNT, password: PASSWORD })

const WANTED = {
  headers: ['authorization', `DPoP ${TOKEN}`, 'dpop', TOKEN, 'cookie', COOKIE],
  query: `access_key=${PASSWORD}`,
  body: BODY,
  pathParams: { account: ACCOUNT },
  resource: {
    account: ACCOUNT,
    channel: TOKEN,
    project: PASTED,
    repository: `https://user:${PASSWORD}@host/`,
  },
  declared: {
    task: `use ${TOKEN}`,
    rationale: `because Bearer ${TOKEN} works and so does ${PASTED}`,
    ticket: PASTED,
    rollbackPlan: `restore with ${PASSWORD}`,
  },
}

const SECRETS = [
  TOKEN,
  ...TOKEN.split('.').slice(1),
  PASTED,
  COOKIE,
  PASSWORD,
  ACCOUNT,
  'upstream-credential',
]

/** Digests that anybody can compute: with these on record, an account number is found by trying them all. */
const GUESSABLE = [ACCOUNT, BODY, JSON.stringify({ account: ACCOUNT }), 'reply'].flatMap((value) => {
  const digest = createHash('sha256').update(value).digest()
  return [digest.toString('hex'), digest.toString('base64'), digest.toString('base64url')]
})

it('no secret of a call, and no hash that can be guessed, is in a record, a log line or a metric', async () => {
  await using directory = await temporaryDirectory()
  const auditDirectory = join(directory.path, 'audit')
  const logFile = join(directory.path, 'toolgate.log')
  let metrics = ''
  {
    await using telemetry = await createTelemetry({
      config: { logLevel: 'debug', logDestination: logFile },
      version: '0.1.0',
      connectors: ['github'],
    })
    await using audit = await openAudit({
      config: auditConfig(auditDirectory),
      node: 'worker-1',
      version: '0.1.0',
    })
    const { events } = telemetry
    const { recorder } = audit
    const record = createRecord({
      recorder,
      events,
      notify: () => undefined,
      detections: { callEnded: () => undefined },
      reviews: { withdraw: () => undefined },
      clock: systemClock,
    })
    const recordUnparsed = createRecordUnparsed({ recorder, events })
    const sealed = syntheticSealed(WANTED)
    expect(await recorder.intend(sealed)).toMatchObject({ ok: true })
    await record(sealed.permit.call, failure('gateway.fault'), true)
    for (const call of progressively()) await record(call, failure('policy.denied'), false)
    await recordUnparsed({
      callId: 'unparsed' as CallId,
      receivedAtMs: 0,
      peerAddress: '192.0.2.1',
      refusal: { code: 'request.malformed', detail: `bad header: authorization: Bearer ${TOKEN}` },
      status: 400,
    })
    events.identity.keysFailed({
      issuer: 'https://issuer.example',
      cause: new Error(`fetch https://user:${PASSWORD}@host failed`),
    })
    metrics = (await telemetry.metrics()).text
  }
  const log = await readFile(logFile, 'utf8')
  const records: string[] = []
  for await (const { bytes } of readEntries(auditDirectory)) records.push(bytes.toString())
  expect(log.trimEnd().split('\n').length).toBe(7)
  expect(records.length).toBe(9)
  for (const place of [log, records.join('\n'), metrics]) {
    for (const secret of [...SECRETS, ...GUESSABLE]) expect(place).not.toContain(secret)
  }
})

/** The call as far as each stage gets it. */
function progressively(): Progress[] {
  const { arrival, decision, policy, content, params, resource, environment, ...routed } =
    syntheticCall(WANTED)
  const read = { ...routed, content, params, resource, environment }
  return [{ arrival }, { ...routed, arrival }, { ...read, arrival }, { ...read, arrival, decision, policy }]
}

function failure(code: 'gateway.fault' | 'policy.denied'): Outcome {
  const cause = Object.assign(new Error(`connect with ${TOKEN} failed`), {
    request: { headers: { authorization: 'Bearer upstream-credential' } },
    cause: new Error(`redis://user:${PASSWORD}@127.0.0.1 said no to Bearer upstream-credential`),
  })
  const reasons = [{ code: 'secret.in_write', rule: 'R090', detail: `found ${PASTED}` }] as const
  return syntheticOutcome({ code, status: 500, detail: `saw Authorization: Bearer ${TOKEN}`, reasons, cause })
}
