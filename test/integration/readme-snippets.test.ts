import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { REPOSITORY } from '../harness/compose-file.ts'
import { readmeBlocks } from '../harness/readme.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.ts'
import { freePorts } from '../harness/free-ports.ts'
import { runProcess, runToolgate, type ToolgateProcess, untilReady } from '../harness/toolgate-process.ts'

/** What a reader writes beside the two files of the README: their own way to a token, and their calls. */
const AGENT = `
import { generateProof } from 'dpop'
import { createClients } from './clients.ts'
import { createSignedFetch, keys } from './signed-fetch.ts'

const [gateway = '', issuer = ''] = process.argv.slice(2)

async function accessToken(): Promise<string> {
  const url = issuer + '/token'
  const reply = await fetch(url, {
    method: 'POST',
    headers: { DPoP: await generateProof(keys, url, 'POST') },
    body: new URLSearchParams({ grant_type: 'client_credentials', persona: 'change-review-agent' }),
  })
  const { access_token: token } = (await reply.json()) as { access_token: string }
  return token
}

const { github, slack, jira, confluence } = createClients(gateway, createSignedFetch(gateway, accessToken))
const pull = await github.rest.pulls.get({ owner: 'zyx', repo: 'platform-infra', pull_number: 991 })
const ticket = await jira.issues.getIssue({ issueIdOrKey: 'CHG-18422' })
const spaces = await confluence.space.getSpaces({ keys: ['SEC'] })
const posted = await slack.chat.postMessage({ channel: 'devsecops-change-review', text: 'hello' })
const denied = await github.rest.pulls
  .merge({ owner: 'zyx', repo: 'platform-infra', pull_number: 991 })
  .catch((error: Error) => error)
console.log(
  JSON.stringify({
    pull: pull.data.number,
    ticket: ticket.key,
    space: spaces.results?.[0]?.key,
    posted: posted.ok,
    denied: denied instanceof Error && denied.name,
  }),
)
`

let folder: TemporaryDirectory
let toolgate: ToolgateProcess
let gateway: string
let operators: number
beforeAll(async () => {
  folder = await temporaryDirectory()
  const [port = 0, adminPort = 0] = await freePorts(2)
  operators = adminPort
  gateway = `http://127.0.0.1:${port}`
  toolgate = runToolgate(['dev', '--port', String(port), '--admin-port', String(adminPort)], {
    TOOLGATE__AUDIT__DIRECTORY: join(folder.path, 'audit'),
  })
  await untilReady(toolgate, adminPort)
  await writeSnippets(folder.path)
})
afterAll(async () => {
  await toolgate[Symbol.asyncDispose]()
  await folder[Symbol.asyncDispose]()
})

async function writeSnippets(directory: string): Promise<void> {
  const types = { extends: join(REPOSITORY, 'tsconfig.json'), include: ['*.ts'] }
  await symlink(join(REPOSITORY, 'node_modules'), join(directory, 'node_modules'))
  await writeFile(join(directory, 'package.json'), '{"type":"module"}')
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify(types))
  await writeFile(join(directory, 'agent.ts'), AGENT)
  for (const block of await readmeBlocks('ts')) {
    const [, name] = /^\/\/ ([\w-]+\.ts)\n/.exec(block) ?? []
    if (name === undefined) throw new Error('a block that does not name its file')
    await writeFile(join(directory, name), block)
  }
}

it('the SDKs, set up as the README says, reach all four vendors and hear a refusal as their own error', async () => {
  const [, issuer = ''] = /^ {2}issuer +(\S+)$/m.exec(toolgate.output()) ?? []
  await using agent = runProcess([process.execPath, join(folder.path, 'agent.ts'), gateway, issuer])
  const ended = await agent.ended
  expect([ended, agent.output()]).toEqual([0, expect.stringContaining('{')])
  expect(
    JSON.parse(
      agent
        .output()
        .split('\n')
        .findLast((line) => line.startsWith('{')) ?? '',
    ),
  ).toEqual({
    pull: 991,
    ticket: 'CHG-18422',
    space: 'SEC',
    posted: true,
    denied: 'HttpError',
  })
})

it('what the README says in TypeScript passes the type check', async () => {
  await using tsc = runProcess([join(REPOSITORY, 'node_modules/.bin/tsc'), '-p', folder.path])
  expect([await tsc.ended, tsc.output()]).toEqual([0, ''])
})

it('the token goes to the gateway only', async () => {
  const probe = `
    import { createServer } from 'node:http'
    import { once } from 'node:events'
    import { createSignedFetch } from './signed-fetch.ts'
    const server = createServer((request, reply) => reply.end(JSON.stringify(request.headers))).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const fetch = createSignedFetch(${JSON.stringify(gateway)}, async () => 'token')
    console.log(await (await fetch('http://127.0.0.1:' + server.address().port)).text())
    server.close()
  `
  const directory = join(folder.path, 'probe')
  await mkdir(directory)
  await writeFile(join(directory, 'signed-fetch.ts'), await readFile(join(folder.path, 'signed-fetch.ts')))
  await writeFile(join(directory, 'probe.mjs'), probe)
  await using other = runProcess([process.execPath, join(directory, 'probe.mjs')])
  expect(await other.ended).toBe(0)
  expect(other.output()).not.toMatch(/authorization|dpop/)
})

it('metrics are where the README looks for them', async () => {
  const text = await (await fetch(`http://127.0.0.1:${operators}/metrics`)).text()
  expect(text).toContain('toolgate_calls_total')
})
