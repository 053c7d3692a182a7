import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runAudit, runAuditJson } from '../harness/audit-command.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'
import { until } from '../harness/until.ts'

const PULL = '/github/repos/zyx/platform-infra/pulls/991'
/** What an agent may declare to attack whoever reads about it. */
const ATTACK = `"><script>alert(1)</script><img src=x onerror=alert(2)> ' javascript:alert(3)`

let toolgate: TestGateway
let record: string[]
beforeAll(async () => {
  toolgate = await startTestGateway()
  record = ['--audit', toolgate.auditDirectory]
  const headers = { 'toolgate-task': 'T-1', 'toolgate-rationale': ATTACK, 'content-type': 'application/json' }
  const { callId } = await toolgate.send('GET', PULL, { headers: { 'toolgate-rationale': ATTACK } })
  await toolgate.send('PUT', `${PULL}/merge`, { body: '{}', headers })
  await toolgate.send('POST', '/slack/api/chat.postMessage', { body: '{"channel":"C1"}', headers })
  const token = toolgate.token({ claims: { sub: '=HYPERLINK("http://evil.example","x"),"' } })
  await toolgate.send('GET', PULL, { token })
  await toolgate.send('GET', PULL, { authorization: null })
  await until(async () => {
    const [shown] = await runAuditJson(['show', callId, ...record])
    return shown?.['disclosures'] === 'disclosed'
  })
})
afterAll(() => toolgate[Symbol.asyncDispose]())

async function exported(...args: string[]): Promise<string> {
  const { exitCode, printed, complained } = await runAudit(['export', ...args, ...record])
  if (exitCode !== 0) throw new Error(complained)
  return printed
}

describe('toolgate audit export', () => {
  it('writes OCSF events that the schema of class 6003 accepts, one for each call', async () => {
    const schema = JSON.parse(await readFile('gateway/audit/export/ocsf-6003.schema.json', 'utf8')) as object
    const accepts = new Ajv2020({ allErrors: true, strict: false }).compile(schema)
    const events = (await exported('--format', 'ocsf'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(events.length).toBe(5)
    for (const event of events) expect([accepts(event), accepts.errors]).toEqual([true, null])
    expect(
      events.map(({ action_id, disposition_id, status_id }) => [action_id, disposition_id, status_id]),
    ).toEqual(
      expect.arrayContaining([
        [1, 1, 1],
        [2, 2, 2],
      ]),
    )
    expect(events[0]).toMatchObject({
      type_uid: 600302,
      actor: { app_uid: 'change-review-agent', user: { uid: 'dana@zyx.example' } },
      api: { operation: 'github.pulls/get', service: { name: 'github' }, response: { code: 200 } },
      resources: expect.arrayContaining([{ type: 'repository', uid: 'zyx/platform-infra' }]) as unknown,
    })
  })

  it('writes a table in which no cell is a formula, and every row has every column', async () => {
    const rows = (await exported('--format', 'csv')).trimEnd().split('\r\n').map(cellsOf)
    expect(rows.length).toBe(6)
    expect(new Set(rows.map((cells) => cells.length))).toEqual(new Set([rows[0]?.length]))
    for (const cell of rows.flat()) expect(cell).not.toMatch(/^[=+\-@\t\r]/)
    const principal = rows[0]?.indexOf('principal') ?? -1
    expect(rows.map((cells) => cells[principal])).toContain(`'=HYPERLINK("http://evil.example","x"),"`)
  })

  it('writes entries as they are, and what they commit to only when asked', async () => {
    const plain = await exported('--format', 'jsonl')
    expect(plain).not.toContain('alert(1)')
    const disclosed = await exported('--format', 'jsonl', '--disclose')
    expect(disclosed).toContain('alert(1)')
    expect(disclosed.trimEnd().split('\n').length).toBe(5)
    expect(
      (await exported('--format', 'jsonl', '--decision', 'deny')).trimEnd().split('\n').length,
    ).toBeLessThan(5)
  })

  it('writes a report that loads nothing, runs nothing and shows an attack as text', async () => {
    const page = await exported(
      '--format',
      'html',
      '--disclose',
      '--title',
      `Incident ${ATTACK}`,
      '--from',
      '1d',
    )
    expect(page).toContain(`default-src &#39;none&#39;`)
    expect(page).not.toMatch(/<(?:script|img|link|iframe|object|form|base|a)\b/i)
    expect(page).not.toMatch(/\son\w+\s*=\s*[^&]*(?:>)/i)
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
    expect(page.match(/<tr>\s*<td>\s*\d{4}-/g)?.length).toBeGreaterThanOrEqual(5)
    expect(page).toMatch(/configuration loaded/)
    expect(page).toContain('5 calls.')
    expect(page.match(/<\/html>/g)?.length).toBe(1)
    expect(page).toMatch(/^<!doctype html>[^]*merge[^]*<\/tbody>\s*<\/table>\s*<\/body>\s*<\/html>\s*$/)
  })

  it('writes a new file for its owner alone, and never over another', async () => {
    await using folder = await temporaryDirectory()
    const path = join(folder.path, 'calls.csv')
    expect((await runAudit(['export', '--format', 'csv', '--out', path, ...record])).exitCode).toBe(0)
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await runAudit(['export', '--format', 'csv', '--out', path, ...record])).toMatchObject({
      exitCode: 1,
      complained: expect.stringContaining('EEXIST') as string,
    })
    expect((await runAudit(['export', ...record])).exitCode).toBe(2)
  })
})

/** Cells of one line of RFC 4180. */
function cellsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(
    ([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain,
  )
}
