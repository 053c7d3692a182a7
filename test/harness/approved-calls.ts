import { rename, writeFile } from 'node:fs/promises'
import { APPROVAL_RULES } from './approval-rules.ts'
import { type Approver, openApprover } from './approver.ts'
import { type Sent, startTestGateway, type TestGateway, type TestGatewayOptions } from './gateway.ts'
import { compileRules } from './opa.ts'
import type { Answer } from './send.ts'
import { until } from './until.ts'

export const COMMENTS = '/github/repos/zyx/platform-infra/issues/991/comments'

export interface HeldApproval {
  readonly id: string
  readonly state: string
  readonly url: string
}

/** A gateway whose writes need people, and people. */
export interface ApprovedCalls extends AsyncDisposable {
  readonly toolgate: TestGateway
  readonly approver: Approver
  /** A comment that was never made before, or `text` again. */
  comment(more?: Sent, text?: string): Promise<Answer>
  /** Puts another policy in force. */
  replaceRules(rules: string): Promise<void>
  /** Has a comment approved that was refused for want of it. */
  approved(text: string, more?: Sent): Promise<string>
}

/** What a refusal says of the approval that it waits for. */
export function heldBy(answer: Answer): HeldApproval {
  return (answer.json() as { readonly approval: HeldApproval }).approval
}

export async function startApprovedCalls(options: TestGatewayOptions = {}): Promise<ApprovedCalls> {
  await using stack = new AsyncDisposableStack()
  const bundle = options.bundle ?? (await compileRules(APPROVAL_RULES))
  const toolgate = stack.use(await startTestGateway({ ...options, bundle }))
  const approver = stack.use(await openApprover(toolgate.loaded))
  let made = 0
  const comment = (more: Sent = {}, text = `comment ${++made}`): Promise<Answer> => {
    const headers = { 'content-type': 'application/json', ...more.headers }
    return toolgate.send('POST', COMMENTS, { body: JSON.stringify({ body: text }), ...more, headers })
  }
  const owned = stack.move()
  return {
    toolgate,
    approver,
    comment,
    async replaceRules(rules) {
      const { bundle } = toolgate.loaded.policy
      const before = digestOf(toolgate)
      await writeFile(`${bundle}.next`, await compileRules(rules))
      await rename(`${bundle}.next`, bundle)
      await until(() => digestOf(toolgate) !== before)
    },
    async approved(text, more = {}) {
      const { id } = heldBy(await comment(more, text))
      await approver.say('approve', id)
      return id
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function digestOf({ gateway }: TestGateway): string {
  return (gateway.status() as { readonly policy: { readonly digest: string } }).policy.digest
}
