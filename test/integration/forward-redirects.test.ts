import { expect, it } from 'vitest'
import type { Connector } from '../../gateway/catalog/connector.ts'
import type { Lookup } from '../../gateway/egress/guarded-connector.ts'
import { HeaderList } from '../../gateway/lib/header-list.ts'
import { createPki } from '../harness/pki.ts'
import type { Pki } from '../harness/pki.ts'
import { startUpstream } from '../harness/upstream.ts'
import type { Upstream } from '../harness/upstream.ts'
import { startForwardGateway } from './forward-gateway.ts'
import type { ForwardGateway, ForwardOptions } from './forward-gateway.ts'

const STORAGE = 'archive.storage.test'
const toLoopback: Lookup = (_hostname, _options, callback) => {
  process.nextTick(callback, null, [{ address: '127.0.0.1', family: 4 }])
}

/** A place behind a redirect that hands out files over TLS. */
function startStorage(pki: Pki): Promise<Upstream> {
  const tls = pki.server({ dnsNames: ['*.storage.test', '*.other.test'] })
  return startUpstream(
    (incoming, response) => {
      const hops = Number(/^\/hop\/(\d+)$/.exec(incoming.url ?? '')?.[1] ?? 0)
      if (incoming.url === '/announced') response.setHeader('content-length', '10')
      if (hops > 0) response.writeHead(302, { location: `/hop/${hops - 1}` })
      else response.writeHead(200, { 'content-type': 'application/zip', 'set-cookie': 'a=b' })
      response.end('PK archive')
    },
    { tls },
  )
}

interface Setting {
  readonly pki: Pki
  readonly storage: Upstream
  readonly options: Omit<ForwardOptions, 'origin'>
}

async function withSetting(
  run: (setting: Setting) => Promise<void>,
  connector: Partial<Connector> = {},
): Promise<void> {
  await using pki = createPki()
  await using storage = await startStorage(pki)
  await run({
    pki,
    storage,
    options: {
      connector: { redirectHosts: ['*.storage.test'], ...connector },
      limits: { caFile: pki.caFile },
      redirectPorts: [storage.port],
      lookup: toLoopback,
      credential: { type: 'header', name: 'x-api-key', value: { source: 'env', name: 'KEY' } },
      environment: { KEY: 'vendor-secret' },
    },
  })
}

/** An upstream that answers everything with this redirect, and a gateway before it. */
async function redirected(
  location: string,
  setting: Setting,
  ask: (gateway: ForwardGateway, upstream: Upstream) => Promise<void>,
  status = 302,
): Promise<void> {
  await using upstream = await startUpstream((_request, response) => {
    response.writeHead(status, { location })
    response.end('see elsewhere')
  })
  await using gateway = await startForwardGateway({ origin: upstream.origin, ...setting.options })
  await ask(gateway, upstream)
}

it('fetches what an allowed host holds, without the credential and without the caller', async () => {
  await withSetting(async (setting) => {
    const location = `https://${STORAGE}:${setting.storage.port}/repo.zip?sig=%2B1&x=a%20b`
    await redirected(location, setting, async (gateway) => {
      const reply = await fetch(`${gateway.origin}/repos/zyx/platform-infra/zipball/main`, {
        headers: { accept: 'application/zip', range: 'bytes=0-', 'user-agent': 'octokit' },
        redirect: 'error',
      })
      expect(reply.status).toBe(200)
      expect(await reply.text()).toBe('PK archive')
      expect(reply.headers.get('set-cookie')).toBeNull()
      const seen = await setting.storage.nextRequest()
      expect(seen.target).toBe('/repo.zip?sig=%2B1&x=a%20b')
      expect([...new HeaderList(seen.headers).names()].sort()).toEqual([
        'accept',
        'accept-encoding',
        'connection',
        'host',
        'range',
        'user-agent',
      ])
      expect(gateway.events).toEqual([`redirectFollowed ${STORAGE}`])
    })
  })
})

it.each([
  ['another host', (port: number) => `https://files.other.test:${port}/x`],
  ['a host below an allowed one', (port: number) => `https://a.b.storage.test:${port}/x`],
  ['an allowed name as a prefix', (port: number) => `https://archive.storage.test.evil.test:${port}/x`],
  ['an allowed host without TLS', (port: number) => `http://${STORAGE}:${port}/x`],
  ['an allowed host on another port', () => `https://${STORAGE}:8443/x`],
  ['an allowed host with a password', (port: number) => `https://user:pass@${STORAGE}:${port}/x`],
  ['an address', (port: number) => `https://127.0.0.1:${port}/x`],
  ['no URL', () => 'https://[::1'],
  ['a file', () => 'file:///etc/passwd'],
])('refuses to be redirected to %s', async (_what, locationOf) => {
  await withSetting(async (setting) => {
    await redirected(locationOf(setting.storage.port), setting, async (gateway) => {
      const reply = await fetch(`${gateway.origin}/x`, { redirect: 'error' })
      expect(reply.status).toBe(502)
      expect(await reply.json()).toMatchObject({ code: 'upstream.redirect_denied' })
      expect(setting.storage.accepted()).toBe(0)
    })
  })
})

it.each(['POST', 'PUT', 'DELETE'])('does not follow for a %s', async (method) => {
  await withSetting(async (setting) => {
    await redirected(
      `https://${STORAGE}:${setting.storage.port}/x`,
      setting,
      async (gateway) => {
        const reply = await fetch(`${gateway.origin}/x`, { method, redirect: 'error' })
        expect(await reply.json()).toMatchObject({ code: 'upstream.redirect_denied' })
        expect(setting.storage.accepted()).toBe(0)
      },
      307,
    )
  })
})

it.each([
  [2, 200],
  [3, 502],
])('follows %d further redirects with the result %d', async (hops, status) => {
  await withSetting(async (setting) => {
    const location = `https://${STORAGE}:${setting.storage.port}/hop/${hops}`
    await redirected(location, setting, async (gateway) => {
      expect((await fetch(`${gateway.origin}/x`)).status).toBe(status)
    })
  })
})

it('judges the address of a host it is redirected to', async () => {
  await withSetting(async (setting) => {
    const lookup: Lookup = (_hostname, _options, callback) => {
      process.nextTick(callback, null, [{ address: '169.254.169.254', family: 4 }])
    }
    const denying = { ...setting, options: { ...setting.options, lookup } }
    await redirected(`https://${STORAGE}:${setting.storage.port}/x`, denying, async (gateway) => {
      const reply = await fetch(`${gateway.origin}/x`)
      expect(await reply.json()).toMatchObject({ code: 'upstream.address_denied' })
    })
  })
})

it('does not let a host in between send it back to the upstream', async () => {
  await using pki = createPki()
  await using upstream = await startUpstream((incoming, response) => {
    response.writeHead(incoming.url === '/x' ? 302 : 200, {
      location: `https://${STORAGE}:${storage.port}/x`,
    })
    response.end()
  })
  await using storage: Upstream = await startUpstream(
    (_request, response) => {
      response.writeHead(302, { location: `${upstream.origin}/secret` })
      response.end()
    },
    { tls: pki.server({ dnsNames: [STORAGE] }) },
  )
  await using gateway = await startForwardGateway({
    origin: upstream.origin,
    connector: { redirectHosts: [STORAGE] },
    limits: { caFile: pki.caFile },
    redirectPorts: [storage.port],
    lookup: toLoopback,
  })
  expect((await fetch(`${gateway.origin}/x`)).status).toBe(502)
  expect(upstream.requests).toHaveLength(1)
})

it('refuses a followed body that announces more than its limit', async () => {
  await withSetting(async (setting) => {
    const limited = { ...setting, options: { ...setting.options, redirectLimitBytes: 4 } }
    await redirected(`https://${STORAGE}:${setting.storage.port}/announced`, limited, async (gateway) => {
      const reply = await fetch(`${gateway.origin}/x`)
      expect(await reply.json()).toMatchObject({ code: 'upstream.redirect_denied' })
    })
  })
})

it('breaks off a followed body that grows beyond its limit', async () => {
  await withSetting(async (setting) => {
    const limited = { ...setting, options: { ...setting.options, redirectLimitBytes: 4 } }
    await redirected(`https://${STORAGE}:${setting.storage.port}/x`, limited, async (gateway) => {
      const reading = fetch(`${gateway.origin}/x`).then((reply) => reply.text())
      await expect(reading).rejects.toThrow(TypeError)
      expect(await gateway.nextOutcome()).toMatchObject({ code: 'upstream.truncated' })
    })
  })
})
