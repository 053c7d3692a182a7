import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startTestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'
import { runPolicy } from '../harness/policy-command.ts'

const READ = '/github/repos/zyx/platform-infra/pulls/991'
const COMMENT = '/github/repos/zyx/platform-infra/issues/991/comments'

/** Reads pass, all else is denied; business hours are tried out, and closed at any time. */
const RULES = `
decision := {
	"allow": count(fired - reported) == 0,
	"risk": 1,
	"reasons": fired - reported,
	"reported": reported,
	"obligations": [],
}

reported := {reason | some reason in fired; reason.rule == "R043"}

fired contains {"code": "hours.closed", "rule": "R043", "detail": "Closed."}

fired contains {"code": "write.not_allowed", "rule": "R021", "detail": ""} if input.operation.access != "read"
`

it('what a rule in report mode would have denied is told in record, log and metric, and to nobody who called', async () => {
  const bundle = await compileRules(RULES)
  await using toolgate = await startTestGateway({ bundle })
  const read = await toolgate.send('GET', READ)
  const comment = await toolgate.send('POST', COMMENT, {
    body: '{"body":"hello"}',
    headers: { 'content-type': 'application/json' },
  })
  expect([read.status, comment.code]).toEqual([200, 'policy.denied'])
  expect(comment.text).not.toContain('hours.closed')

  const reported = [{ code: 'hours.closed', rule: 'R043', detail: 'Closed.' }]
  const [intent, outcome] = await toolgate.recordsOf(read.callId)
  expect(intent).toMatchObject({ type: 'decision', reasons: [], reported })
  expect(outcome).not.toHaveProperty('reported')
  expect(await toolgate.recordsOf(comment.callId)).toMatchObject([
    { type: 'outcome', reasons: [{ code: 'write.not_allowed' }], reported },
  ])
  expect(await toolgate.linesOf(read.callId)).toMatchObject([{ policy_reported: 'hours.closed' }])
  expect(await toolgate.linesOf(comment.callId)).toMatchObject([
    { policy_reasons: 'write.not_allowed', policy_reported: 'hours.closed' },
  ])
  const labels = { connector: 'github', reason: 'hours.closed' }
  expect(await toolgate.metric('toolgate_policy_reported_total', labels)).toBe(2)

  const path = join(toolgate.auditDirectory, '..', 'report.tar.gz')
  await writeFile(path, bundle)
  const from = ['--bundle', path, '--audit', toolgate.auditDirectory]
  const { printed } = await runPolicy(['explain', read.callId, ...from])
  expect(printed).toContain('recorded  allow\nreported  R043\n')
})
