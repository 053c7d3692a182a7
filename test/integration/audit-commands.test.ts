import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { audit } from '../../gateway/cli/audit/audit.ts'
import { parseVerifierKey } from '../../gateway/audit/tlog/verifier-key.ts'
import { recordLives, type RecordedLives } from '../harness/recorded-lives.ts'
import { runHere } from '../harness/run-here.ts'

let lives: RecordedLives
beforeAll(async () => {
  lives = await recordLives()
})
afterAll(() => lives[Symbol.asyncDispose]())

async function keyOf(directory: string): Promise<string> {
  return (await runHere(audit, ['key', directory])).printed.trim()
}

describe('toolgate audit key', () => {
  it('prints the key that signed, as verifiers take it', async () => {
    const { exitCode, printed } = await runHere(audit, ['key', lives.directory])
    expect(exitCode).toBe(0)
    expect(parseVerifierKey(printed.trim())).toMatchObject({ name: 'gateway.example', type: 1 })
    const { printed: json } = await runHere(audit, ['key', lives.directory, '--json'])
    expect(JSON.parse(json)).toEqual({ keys: [printed.trim()] })
  })

  it('says when no key has signed', async () => {
    const { exitCode, complained } = await runHere(audit, ['key', join(lives.directory, 'keys')])
    expect(exitCode).toBe(1)
    expect(complained).toContain('no key has signed')
  })
})

describe('toolgate audit verify', () => {
  it('ends with 0 when all is as signed, and lists logs and calls in doubt', async () => {
    const key = await keyOf(lives.directory)
    const { exitCode, printed, complained } = await runHere(audit, [
      'verify',
      lives.directory,
      '--key',
      key,
      '--complete',
    ])
    expect(exitCode).toBe(0)
    expect(printed).toMatch(/^worker-1\/\S+: 331 entries, 331 signed, sealed$/m)
    expect(printed).toMatch(/^worker-1\/\S+: 42 entries, 42 signed, recovered$/m)
    expect(printed.match(/^in doubt: call \S+ of worker-[12]\/\S+$/gm)).toHaveLength(2)
    expect(printed).toMatch(/^6 logs, \d+ entries: all as signed$/m)
    expect(complained).toBe('')
  })

  it('takes keys from a file, and says so when it took them from the directory', async () => {
    const file = join(lives.earlier, 'keys.txt')
    writeFileSync(file, `${await keyOf(lives.directory)}\n`)
    const given = await runHere(audit, ['verify', lives.directory, '--key', file])
    expect([given.exitCode, given.complained]).toEqual([0, ''])
    const taken = await runHere(audit, ['verify', lives.directory])
    expect(taken.exitCode).toBe(0)
    expect(taken.complained).toContain('--key')
  })

  it('ends with 1 and names file, byte and what is wrong, for machines too', async () => {
    const { directory } = lives.life('worker-1', 'ended')
    const tile = join(directory, 'tile/0/000')
    const before = readFileSync(tile)
    const changed = Buffer.from(before)
    changed.writeUInt8(changed.readUInt8(700) ^ 1, 700)
    writeFileSync(tile, changed)
    const plain = await runHere(audit, ['verify', lives.directory])
    const { exitCode, printed } = await runHere(audit, ['verify', lives.directory, '--json'])
    writeFileSync(tile, before)
    expect([plain.exitCode, exitCode]).toEqual([1, 1])
    expect(plain.printed).toMatch(/^tile\.changed: worker-1\/\S+\/tile\/0\/000 at byte 700: /m)
    expect(JSON.parse(printed)).toMatchObject({
      ok: false,
      problems: [{ code: 'tile.changed', offset: 700 }],
    })
  })

  it('holds the directory to a checkpoint kept elsewhere', async () => {
    const kept = join(lives.life('fleet', 'ended').directory, 'checkpoint')
    const now = await runHere(audit, ['verify', lives.directory, '--checkpoint', kept])
    const before = await runHere(audit, ['verify', lives.earlier, '--checkpoint', kept])
    expect([now.exitCode, before.exitCode]).toEqual([0, 1])
    expect(before.printed).toContain('log.rolled_back: fleet/')
  })

  it.each([
    ['no directory', []],
    ['a directory that is not there', ['/nowhere/at/all']],
    ['two directories', ['.', '.']],
    ['a key that is none', ['.', '--key', 'hello']],
    ['a checkpoint that is not there', ['.', '--checkpoint', '/nowhere/at/all']],
    ['an option that there is not', ['.', '--deep']],
  ])('ends with 2 when given %s', async (_, args) => {
    const { exitCode, complained } = await runHere(audit, ['verify', ...args])
    expect(exitCode).toBe(2)
    expect(complained).toContain('toolgate audit verify DIRECTORY')
  })
})

it('toolgate audit alone asks which command', async () => {
  expect(await runHere(audit, [])).toMatchObject({ exitCode: 2 })
  expect(await runHere(audit, ['destroy'])).toMatchObject({ exitCode: 2 })
})
