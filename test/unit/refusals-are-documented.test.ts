import { expect, it } from 'vitest'
import { REFUSALS } from '../../gateway/refusal.ts'

/** `npx vitest run test/unit/refusals-are-documented.test.ts -u` writes the page anew. */
it('gateway/REFUSALS.md is the table, row by row', async () => {
  const rows = Object.entries(REFUSALS).map(
    ([code, { status, blame, retry, title }]) =>
      `| \`${code}\` | ${status} | ${blame} | ${retry} | ${title} |`,
  )
  const page = `# Refusals

Every no of the gateway is a row of this table, made from [refusal.ts](refusal.ts). The code stands in the reply's
\`code\`, at the end of its \`type\` (\`urn:toolgate:refusal:<code>\`), in the \`reason\` label of \`toolgate_calls_total\`, in
the log line and in the record. *Blame* says who has to change something; *retry* whether the same call may be sent
again: never, unchanged, or after \`Retry-After\`. SDKs get the row in their vendor's own shape; Slack's SDK, which
retries every status but 200 and 429, gets most of them with status 200 and \`ok: false\`
([ADR 2](adr/0002-slack-hears-200.md)).

| code | status | blame | retry | meaning |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`
  await expect(page).toMatchFileSnapshot('../../gateway/REFUSALS.md')
})
