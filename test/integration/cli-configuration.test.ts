import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Fakes, startFakes } from '../harness/fakes.ts'
import { type Issuer, startIssuer } from '../harness/issuer.ts'
import { type StartConfig, writeStartConfig } from '../harness/start-config.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../harness/temporary-directory.ts'
import { toolgateHere } from '../harness/run-here.ts'
import { runToolgate } from '../harness/toolgate-process.ts'

let folder: TemporaryDirectory
let issuer: Issuer
let fakes: Fakes
let config: StartConfig
beforeAll(async () => {
  ;[folder, issuer, fakes] = await Promise.all([temporaryDirectory(), startIssuer(), startFakes()])
})
afterAll(async () => {
  for (const part of [folder, issuer, fakes]) await part[Symbol.asyncDispose]()
})
beforeEach(async () => {
  config = await writeStartConfig(folder.path, { issuer, fakes })
})

async function toolgate(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = fakes.environment,
): Promise<[code: unknown, output: string]> {
  const { exitCode, output } = await toolgateHere([...args, '--config', config.file], { environment })
  return [exitCode, output]
}

/** Mistakes of shape, of one section each, and the paths that have to be named. */
const SHAPES = {
  workers: 0,
  policy: { timezone: 'Europe/Zurich' },
  limits: { rates: [{ name: 'Agent', by: ['agent'], calls: 1, windowMs: 1, burst: 1 }] },
  telemetry: { logDestination: 'stderr', logLevel: 'loud' },
}
const SHAPE_PATHS = ['workers', 'policy', 'limits.rates.0.name', 'telemetry.logLevel']

describe('toolgate check', () => {
  it('finds nothing wrong with what is right', async () => {
    expect(await toolgate(['check'])).toEqual([0, `${config.file}: no mistakes\n`])
    expect(await toolgate(['check', '--json'])).toEqual([0, '{\n  "ok": true,\n  "problems": []\n}\n'])
  })

  it('lists every mistake at once, with its path, and exits 2', async () => {
    await config.write(SHAPES)
    const [code, output] = await toolgate(['check'], {})
    expect(code).toBe(2)
    const paths = output
      .trim()
      .split('\n')
      .map((line) => line.split(': ')[0])
    expect(new Set(paths)).toEqual(new Set([...SHAPE_PATHS, 'connectors.github.credential']))
  })

  it('lists them as JSON', async () => {
    await config.write(SHAPES)
    const [code, output] = await toolgate(['check', '--json'])
    const { ok, problems } = JSON.parse(output) as {
      ok: boolean
      problems: { path: string; reason: string }[]
    }
    expect([code, ok, problems.map(({ path }) => path).sort()]).toEqual([2, false, [...SHAPE_PATHS].sort()])
    expect(problems.every(({ reason }) => reason !== '')).toBe(true)
  })

  it('says so of a file that is not there, or no mapping', async () => {
    const missing = await toolgateHere(['check', '--config', join(folder.path, 'none.yaml')])
    expect([missing.exitCode, missing.output]).toEqual([
      2,
      expect.stringContaining('cannot be read (ENOENT)'),
    ])
    await writeFile(config.file, '- not a mapping')
    expect(await toolgate(['check'])).toEqual([2, 'toolgate.yaml: is not a mapping\n'])
  })
})

/** What only the things that the configuration names can show. */
async function writeUnusable(): Promise<readonly string[]> {
  const garbage = (name: string): string => join(folder.path, name)
  for (const name of ['bundle.tar.gz', 'tls.crt', 'tls.key']) await writeFile(garbage(name), 'garbage')
  const { port, adminPort } = config
  await config.write({
    listen: {
      port,
      admin: { port: adminPort },
      tls: { certificateFile: 'tls.crt', keyFile: 'tls.key', clientCertificate: 'none' },
    },
    policy: { bundle: 'bundle.tar.gz' },
    connectors: { nowhere: { credential: { type: 'none' } } },
  })
  return ['listen.tls', 'policy.bundle', 'connectors']
}

describe('toolgate start', () => {
  it.each([
    ['of shape', async () => config.write(SHAPES).then(() => SHAPE_PATHS)],
    ['in what the configuration names', writeUnusable],
  ])(
    'names every mistake %s, exits 2, and has opened no port and left no folder',
    async (_, writeMistakes) => {
      const paths = await writeMistakes()
      const opened: string[] = []
      const watching = setInterval(() => {
        for (const port of [config.port, config.adminPort])
          fetch(`http://127.0.0.1:${port}/`).then(
            () => opened.push(String(port)),
            () => undefined,
          )
      }, 20)
      await using run = runToolgate(['start', '--config', config.file], fakes.environment)
      const [code, output] = [await run.ended, run.output()]
      clearInterval(watching)
      expect(code).toBe(2)
      expect(output).toContain('the configuration has mistakes, nothing was started')
      for (const path of paths) expect(output).toContain(`\n  ${path}`)
      expect([opened, existsSync(config.auditDirectory)]).toEqual([[], false])
      expect(await toolgate(['check'])).toEqual([
        2,
        output
          .split('\n')
          .slice(1)
          .map((line) => line.trim())
          .join('\n'),
      ])
    },
  )
})

describe('toolgate config', () => {
  it('prints what is in force, with defaults and overrides, and secrets as references only', async () => {
    const environment = { GITHUB: 'the-secret-itself', TOOLGATE__LISTEN__MAX_CALLS_IN_FLIGHT: '7' }
    const [code, output] = await toolgate(['config'], environment)
    expect(code).toBe(0)
    expect(output).not.toContain('the-secret-itself')
    expect(JSON.parse(output)).toMatchObject({
      listen: { host: '127.0.0.1', maxCallsInFlight: 7 },
      store: { kind: 'embedded' },
      connectors: { github: { credential: { type: 'bearer', token: 'env:GITHUB' } } },
    })
  })

  it('prints a file that says the same', async () => {
    const [, first] = await toolgate(['config'])
    await writeFile(config.file, first)
    expect(await toolgate(['config'])).toEqual([0, first])
    expect((await toolgate(['check']))[0]).toBe(0)
  })

  it('prints the JSON Schema of the file, itself valid by draft 7', async () => {
    const [code, output] = await toolgate(['config', '--schema'])
    const schema = JSON.parse(output) as { $schema: string; properties: object }
    expect([code, schema.$schema]).toEqual([0, 'http://json-schema.org/draft-07/schema#'])
    const ajv = new Ajv({ strict: false })
    expect([ajv.validateSchema(schema), ajv.errors]).toEqual([true, null])
    expect(Object.keys(schema.properties)).toEqual(expect.arrayContaining(['listen', 'connectors', 'audit']))
  })
})
