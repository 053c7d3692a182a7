import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePorts } from '../harness/free-ports.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { compileRules } from '../harness/opa.ts'
import { ALLOW_EVERYTHING } from '../harness/permissive-rules.ts'
import type { Answer } from '../harness/send.ts'

/** GitHub by its host name, Confluence by its port, the other two by prefix. */
let toolgate: TestGateway
let confluencePort = 0
const GITHUB = 'http://github.tools.test'
const FILES = '/repos/zyx/platform-infra/pulls/991/files?per_page=1'

beforeAll(async () => {
  const [port = 0, ownPort = 0] = await freePorts(2)
  confluencePort = ownPort
  const main = `http://127.0.0.1:${port}`
  toolgate = await startTestGateway({
    bundle: await compileRules(ALLOW_EVERYTHING),
    settings: {
      listen: { port, externalOrigins: [GITHUB, `http://127.0.0.1:${ownPort}`, main] },
      connectors: {
        github: { address: { hosts: ['github.tools.test'] } },
        confluence: { address: { port: ownPort } },
      },
    },
  })
})
afterAll(() => toolgate[Symbol.asyncDispose]())

/** To the main port under another name, with a proof for the target under that name. */
function byName(target: string, host = 'github.tools.test', proven = GITHUB): Promise<Answer> {
  const token = toolgate.token()
  const proof = toolgate.proof('GET', target, { token, url: proven + target })
  return toolgate.send('GET', target, { token, proof, headers: { host } })
}

function nextOf(answer: Answer): string {
  return /<([^>]*)>; rel="next"/.exec(String(answer.headers['link']))?.[1] ?? ''
}

describe('a connector with a host name', () => {
  it.each(['github.tools.test', 'GitHub.Tools.Test', 'github.tools.test:80'])(
    'is reached as %s',
    async (host) => {
      const answer = await byName(FILES, host)
      expect(answer).toMatchObject({ status: 200, decision: 'allow' })
      expect(toolgate.fakes.github.requests.at(-1)?.target).toBe(FILES)
    },
  )

  it('answers with links to that name, which lead on', async () => {
    const next = nextOf(await byName(FILES))
    expect(next.startsWith(`${GITHUB}/repositories/`)).toBe(true)
    expect((await byName(next.slice(GITHUB.length))).status).toBe(200)
  })

  it('is not reached by a prefix, nor by a name that only looks alike', async () => {
    const { send } = toolgate
    expect(await send('GET', `/github${FILES}`)).toMatchObject({ code: 'route.unknown_connector' })
    for (const host of ['github.tools.test.evil.example', 'xgithub.tools.test', 'github.tools.test.']) {
      expect(await byName(FILES, host)).toMatchObject({ decision: 'deny' })
    }
  })

  it('takes the whole path, so that no prefix leads from it to another connector', async () => {
    expect(await byName('/jira/rest/api/3/myself')).toMatchObject({ code: 'route.unknown_operation' })
  })

  it('takes proofs made for its own name only', async () => {
    expect(await byName(FILES, 'github.tools.test', toolgate.origin)).toMatchObject({
      code: 'identity.proof_invalid',
    })
  })

  it('has metadata of its own, which its challenge names', async () => {
    const answer = await toolgate.send('GET', FILES, {
      authorization: null,
      proof: null,
      headers: { host: 'github.tools.test' },
    })
    const [, url = ''] = /resource_metadata="([^"]*)"/.exec(String(answer.headers['www-authenticate'])) ?? []
    expect(url).toBe(`${GITHUB}/.well-known/oauth-protected-resource`)
    const metadata = await toolgate.send('GET', new URL(url).pathname, {
      headers: { host: new URL(url).host },
    })
    // RFC 9728 §3.3: anything but the URL that the client derived this one from has to be thrown away.
    expect(metadata.json()).toMatchObject({ resource: GITHUB })
  })
})

describe('a connector with a port', () => {
  const PAGES = '/wiki/api/v2/pages?limit=1'

  it('is reached there without a prefix, and answers with links to that port, which lead on', async () => {
    const origin = `http://127.0.0.1:${confluencePort}`
    const first = await toolgate.send('GET', PAGES, { origin })
    expect(first).toMatchObject({ status: 200, decision: 'allow' })
    expect(toolgate.fakes.confluence.requests.at(-1)?.target).toBe(PAGES)
    const next = nextOf(first)
    expect(next.startsWith(`${origin}/wiki/api/v2/pages?`)).toBe(true)
    expect((await toolgate.send('GET', next.slice(origin.length), { origin })).status).toBe(200)
  })

  it('is all that is reached there, whatever Host says', async () => {
    const origin = `http://127.0.0.1:${confluencePort}`
    expect(await toolgate.send('GET', '/jira/rest/api/3/myself', { origin })).toMatchObject({
      code: 'route.unknown_operation',
    })
    const token = toolgate.token()
    const proof = toolgate.proof('GET', PAGES, { token, url: origin + PAGES })
    const before = toolgate.fakes.github.requests.length
    await toolgate.send('GET', PAGES, { origin, token, proof, headers: { host: 'github.tools.test' } })
    expect(toolgate.fakes.github.requests).toHaveLength(before)
    expect(toolgate.fakes.confluence.requests.at(-1)?.target).toBe(PAGES)
  })

  /** One request with a proof for `proven` and a Host of the caller's choice. */
  function replayed(target: string, proven: string, { origin, host }: { origin: string; host: string }) {
    const token = toolgate.token()
    const proof = toolgate.proof('GET', target, { token, url: proven + target })
    return toolgate.send('GET', target, { origin, token, proof, headers: { host } })
  }

  it('takes no proof that was made for another way in, whatever Host says', async () => {
    const origin = `http://127.0.0.1:${confluencePort}`
    for (const proven of [toolgate.origin, GITHUB]) {
      for (const host of [new URL(proven).host, `127.0.0.1:${confluencePort}`, 'nobody.test']) {
        expect(await replayed(PAGES, proven, { origin, host })).toMatchObject({
          code: 'identity.proof_invalid',
        })
      }
    }
  })

  it('has proofs that are good nowhere else, whatever Host says', async () => {
    const port = `http://127.0.0.1:${confluencePort}`
    const { origin } = toolgate
    for (const [target, host] of [
      ['/jira/rest/api/3/myself', `127.0.0.1:${confluencePort}`],
      ['/jira/rest/api/3/myself', 'nobody.test'],
      [FILES, 'github.tools.test'],
    ] as const) {
      expect(await replayed(target, port, { origin, host })).toMatchObject({ code: 'identity.proof_invalid' })
    }
  })
})

describe('a connector with a prefix', () => {
  it('takes no proof that was made for the host name of another', async () => {
    const target = '/jira/rest/api/3/myself'
    const token = toolgate.token()
    const proof = toolgate.proof('GET', target, { token, url: GITHUB + target })
    for (const host of ['nobody.test', new URL(toolgate.origin).host]) {
      expect(await toolgate.send('GET', target, { token, proof, headers: { host } })).toMatchObject({
        code: 'identity.proof_invalid',
      })
    }
  })

  it('answers with links to an origin that is for prefixes, although others are named first', async () => {
    const [port = 0] = await freePorts(1)
    const origin = `http://127.0.0.1:${port}`
    await using gateway = await startTestGateway({
      settings: {
        listen: { port, externalOrigins: ['http://slack.tools.test', origin] },
        connectors: { slack: { address: { hosts: ['slack.tools.test'] } } },
      },
    })
    const next = nextOf(await gateway.send('GET', `/github${FILES}`))
    expect(next.startsWith(`${origin}/github/repositories/`)).toBe(true)
  })
})

it('a gateway on loopback needs to be told of no origin: it knows its ports and names', async () => {
  const [ownPort = 0] = await freePorts(1)
  await using gateway = await startTestGateway({
    bundle: await compileRules(ALLOW_EVERYTHING),
    settings: {
      connectors: {
        github: { address: { hosts: ['github.localhost'] } },
        confluence: { address: { port: ownPort } },
      },
    },
  })
  const named = `http://github.localhost:${gateway.gateway.port}`
  const token = gateway.token()
  const call = (proven: string) => {
    const proof = gateway.proof('GET', FILES, { token, url: proven + FILES })
    return gateway.send('GET', FILES, { token, proof, headers: { host: new URL(named).host } })
  }
  expect((await call(named)).status).toBe(200)
  expect(await call(gateway.origin)).toMatchObject({ code: 'identity.proof_invalid' })
  const origin = `http://127.0.0.1:${ownPort}`
  expect((await gateway.send('GET', '/wiki/api/v2/pages?limit=1', { origin })).status).toBe(200)
  expect((await gateway.send('GET', '/jira/rest/api/3/myself')).status).toBe(200)
})
