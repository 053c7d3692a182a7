import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'

/** Rules that `opa` compiles and that pass the self-test, but return what the decision document has no place for. */
describe('a policy that passed all that a bundle is checked for', () => {
  const SHAPES = `
closed := {"allow": false, "risk": 0, "reasons": [reason], "obligations": []}
reason := {"code": "hours.closed", "rule": "R043", "detail": ""}
shapes := {
	"text": "yes",
	"a-number": {"allow": 1, "risk": 0, "reasons": [], "obligations": []},
	"an-unknown-reason": {"allow": false, "risk": 0, "reasons": [{"code": "x", "rule": "R1", "detail": ""}], "obligations": []},
	"an-unknown-obligation": {"allow": true, "risk": 0, "reasons": [], "obligations": [{"id": "x", "type": "x", "properties": {}}]},
	"yes-and-no": {"allow": true, "risk": 0, "reasons": [reason], "obligations": []},
	"something-more": {"allow": true, "risk": 0, "reasons": [], "obligations": [], "override": true},
	"a-conflict": closed,
}
decision := shapes[input.declared.task]
decision := closed if input.declared.task == ""
decision := object.union(closed, {"risk": 1}) if input.declared.task == "a-conflict"
`
  let toolgate: TestGateway
  beforeAll(async () => {
    toolgate = await startTestGateway({ bundle: await compileRules(SHAPES) })
  })
  afterAll(() => toolgate[Symbol.asyncDispose]())

  it.each([
    ['text', 'policy.invalid'],
    ['a-number', 'policy.invalid'],
    ['an-unknown-reason', 'policy.invalid'],
    ['an-unknown-obligation', 'policy.invalid'],
    ['yes-and-no', 'policy.invalid'],
    ['something-more', 'policy.invalid'],
    ['nothing-at-all', 'policy.invalid'],
    ['a-conflict', 'policy.error'],
  ])('and then returns %s denies the call as %s', async (task, code) => {
    const answer = await toolgate.send('GET', PULL, { headers: { 'toolgate-task': task } })
    expect(answer).toMatchObject({ status: 403, code })
    expect(await toolgate.recordsOf(answer.callId)).toMatchObject([{ type: 'outcome', outcome: code }])
    expect(await toolgate.send('GET', PULL)).toMatchObject({ code: 'policy.denied' })
  })
})
