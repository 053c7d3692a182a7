import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ConnectorConfig } from '../../../gateway/config/config.ts'
import { ConfigError } from '../../../gateway/config/problem.ts'
import { loadCatalog } from '../../../gateway/catalog/catalog.ts'
import { connectorConfig, connectorNamed } from './catalog-harness.ts'

const committed = fileURLToPath(new URL('../../../connectors/', import.meta.url))
let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'connectors-'))
  for (const file of ['schema.json', 'overrides.schema.json'])
    cpSync(join(committed, file), join(directory, file))
  for (const name of ['slack', 'confluence']) {
    for (const file of ['connector.yaml', 'overrides.yaml', 'operations.json']) {
      cpSync(join(committed, name, file), join(directory, name, file))
    }
  }
})
afterEach(() => rmSync(directory, { recursive: true }))

function change(file: string, edit: (text: string) => string): void {
  const path = join(directory, file)
  const text = readFileSync(path, 'utf8')
  const edited = edit(text)
  expect(edited).not.toBe(text)
  writeFileSync(path, edited)
}

function problemsOf(configs: Record<string, Partial<ConnectorConfig>>): string[] {
  const full = Object.entries(configs).map(
    ([name, config]) => [name, { ...connectorConfig, ...config }] as const,
  )
  try {
    loadCatalog(Object.fromEntries(full), directory)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, reason }) => `${path}: ${reason}`)
    throw error
  }
  return []
}

describe('a connector folder', () => {
  it('loads as it is committed', () => {
    expect(problemsOf({ slack: {} })).toEqual([])
  })

  it('names every mistake of every file at once', () => {
    change('slack/connector.yaml', (text) =>
      `${text}surprise: 1\n`.replace('dialect: slack', 'dialect: klingon'),
    )
    change('slack/overrides.yaml', (text) => text.replace('risk: 1, dataClass', 'risk: 11, dataClass'))
    change('confluence/operations.json', (text) => text.slice(1))
    const problems = problemsOf({ slack: {}, confluence: {} })
    expect(problems).toEqual([
      'connectors/slack/connector.yaml: has an unknown key "surprise"',
      'connectors/slack/connector.yaml#/dialect: must be equal to one of the allowed values',
      'connectors/slack/overrides.yaml#/defaults/read/risk: must be <= 10',
      expect.stringMatching(/^connectors\/confluence\/operations\.json: /),
    ])
  })

  it('is read anew when a file of it has changed', () => {
    const operations = (): readonly string[] =>
      loadCatalog({ slack: connectorConfig }, directory)
        .operations('slack')
        .map(({ id }) => id)
    expect(operations()).toContain('slack.chat.postMessage')
    change('slack/operations.json', (text) => text.replaceAll('chat.postMessage', 'chat.postMassage'))
    change('slack/overrides.yaml', (text) => text.replaceAll('chat.postMessage', 'chat.postMassage'))
    expect(operations()).toContain('slack.chat.postMassage')
    expect(operations()).not.toContain('slack.chat.postMessage')
  })

  it('has its mistakes told each time that it is read', () => {
    change('slack/overrides.yaml', (text) =>
      text.replace('rules:', 'rules:\n  - match: [no.such]\n    risk: 1'),
    )
    const problems = problemsOf({ slack: {} })
    expect(problems).toHaveLength(1)
    expect(problemsOf({ slack: {} })).toEqual(problems)
  })

  it('refuses headers that never pass', () => {
    change('slack/connector.yaml', (text) => text.replace(/^headers:[^]*?(?=^\S)/m, ''))
    change(
      'slack/connector.yaml',
      (text) => `${text}headers: { request: [cookie, x-slack-a], response: [set-cookie, connection] }\n`,
    )
    expect(problemsOf({ slack: {} })).toEqual([
      'connectors/slack/connector.yaml#/headers/request: cookie never goes to an upstream',
      'connectors/slack/connector.yaml#/headers/response: set-cookie never goes to a caller',
      'connectors/slack/connector.yaml#/headers/response: connection never goes to a caller',
    ])
  })

  it('refuses a rule that names no operation', () => {
    change('slack/overrides.yaml', (text) => text.replace('- api.test\n', '- api.tset\n'))
    expect(problemsOf({ slack: {} })).toEqual([
      'connectors/slack/overrides.yaml#/rules/0/match: "api.tset" names no operation',
    ])
  })

  it('refuses an extra operation that is there already, or stands at the address of another', () => {
    const extra = (id: string): string =>
      `extras:\n  - { id: ${id}, method: POST, path: /api/chat.postMessage, why: to be refused }\n`
    change('slack/overrides.yaml', (text) => text.replace(/^extras:\n/m, extra('chat.postMessage')))
    expect(problemsOf({ slack: {} })).toContain(
      'connectors/slack/overrides.yaml#/extras: chat.postMessage is there twice',
    )
    change('slack/overrides.yaml', (text) => text.replace('{ id: chat.postMessage', '{ id: chat.sneaky'))
    expect(problemsOf({ slack: {} })).toEqual([
      'connectors/slack (slack.chat.sneaky): POST /api/chat.postMessage is already /api/chat.postMessage',
    ])
  })

  it('refuses a path that is no template', () => {
    change('slack/overrides.yaml', (text) =>
      text.replace('path: /upload/v1/{ticket}', 'path: /upload//{a}...{b}'),
    )
    expect(problemsOf({ slack: {} })).toEqual([
      expect.stringMatching(
        /^connectors\/slack\/overrides\.yaml# \(files\.upload\.bytes\): .* neither a literal/,
      ),
    ])
  })

  it('refuses a resource that one path always gives twice', () => {
    change('confluence/overrides.yaml', (text) =>
      text.replace(
        "project: ['id:{/path/id}', 'id:{/path/space-id}']",
        "project: ['id:{/path/id}', '{/path/id}']",
      ),
    )
    expect(problemsOf({ confluence: { origin: 'https://a.atlassian.net' } }).join()).toContain(
      'always gives project twice',
    )
  })

  it('refuses an unknown filter and a stray brace', () => {
    change('slack/overrides.yaml', (text) =>
      text.replace("'{/query/channel|list}'", "'{/query/channel|lsit}'"),
    )
    expect(problemsOf({ slack: {} }).join()).toContain('"lsit" is no filter')
    change('slack/overrides.yaml', (text) => text.replace("'{/query/channel|lsit}'", "'{channel}'"))
    expect(problemsOf({ slack: {} }).join()).toContain('brace')
  })

  it('refuses YAML that says a thing twice', () => {
    change('slack/connector.yaml', (text) => `${text}prefix: /other\n`)
    expect(problemsOf({ slack: {} }).join()).toContain(
      'connectors/slack/connector.yaml: Map keys must be unique',
    )
  })

  it('refuses a name that has no folder', () => {
    expect(problemsOf({ sap: {} }).join()).toContain(
      'connectors.sap: there is no connector of this name, but confluence, slack',
    )
  })
})

describe('the configuration of connectors', () => {
  it('must give the origin of a vendor whose customers have hosts of their own', () => {
    expect(problemsOf({ confluence: {} })).toEqual([
      'connectors.confluence.origin: must be given: every customer of this vendor has a host of their own',
    ])
  })

  it('must not give one address to two connectors', () => {
    const site = { origin: 'https://a.atlassian.net' }
    const same = { prefix: '/x', hosts: ['GW.internal'], port: 9000 }
    const hosts = ['gw.internal']
    expect(
      problemsOf({ slack: { address: same }, confluence: { ...site, address: { ...same, hosts } } }),
    ).toEqual([
      'connectors.confluence.address: prefix /x is also the address of slack',
      'connectors.confluence.address: host gw.internal is also the address of slack',
      'connectors.confluence.address: port 9000 is also the address of slack',
    ])
  })

  it('puts the base path of the origin before every path', () => {
    const origin = 'https://api.atlassian.com/ex/jira/11223344/'
    const catalog = loadCatalog({ jira: { ...connectorConfig, origin } })
    expect(connectorNamed(catalog, 'jira')).toMatchObject({
      origin: 'https://api.atlassian.com',
      basePath: '/ex/jira/11223344',
    })
  })

  it('sends every operation to the origin that is given, even one that the vendor serves elsewhere', () => {
    const uploadOf = (origin: string | undefined): string | undefined =>
      loadCatalog({ slack: { ...connectorConfig, origin } })
        .operations('slack')
        .find(({ id }) => id === 'slack.files.upload.bytes')?.origin
    expect(uploadOf(undefined)).toBe('https://files.slack.com')
    expect(uploadOf('http://127.0.0.1:4010')).toBeUndefined()
  })

  it('replaces the default prefix as soon as it names any address', () => {
    const address = { prefix: undefined, hosts: ['slack.gw.internal'], port: undefined }
    const catalog = loadCatalog({ slack: { ...connectorConfig, address } })
    expect(catalog.connectorAt({ path: '/slack/api/x', untrustedHost: 'gw', port: 1 })).toBeUndefined()
    expect(
      catalog.connectorAt({ path: '/api/x', untrustedHost: 'slack.gw.internal', port: 1 })?.upstreamPath,
    ).toBe('/api/x')
  })
})
