import { describe, expect, it } from 'vitest'
import { toolgateHere } from '../harness/run-here.ts'
import { runToolgate } from '../harness/toolgate-process.ts'

async function toolgate(...args: readonly string[]): Promise<[code: unknown, output: string]> {
  const { exitCode, output } = await toolgateHere(args)
  return [exitCode, output]
}

describe('toolgate', () => {
  it.each([[[]], [['--help']], [['-h']], [['help']]])(
    'prints its commands and exit codes for %j',
    async (args) => {
      const [code, output] = await toolgate(...args)
      expect(code).toBe(0)
      expect(output).toMatch(
        /toolgate start[^]*toolgate check[^]*toolgate config[^]*toolgate dev[^]*Exit codes: 0 done/,
      )
    },
  )

  it('says and ends as a process what it does here', async () => {
    await using run = runToolgate(['sart'])
    expect([await run.ended, run.output()]).toEqual(await toolgate('sart'))
  })

  it('does not know a command that is not there', async () => {
    const [code, output] = await toolgate('sart')
    expect([code, output]).toEqual([2, expect.stringContaining('no command is called "sart"')])
    expect(output).toContain('toolgate start')
  })
})

describe.each([
  ['start', '[--config FILE]'],
  ['check', '[--config FILE] [--json]'],
  ['config', '[--config FILE] [--schema]'],
  ['dev', '[--port N] [--admin-port N]'],
  ['dev call', 'CONNECTOR METHOD PATH [options]'],
  ['dev tour', '[--json] [--gateway ORIGIN] [--admin ORIGIN] [--issuer ORIGIN]'],
  ['approvals list', '[--state STATE]… [--limit N] [options]'],
  ['approvals show', 'ID [options]'],
  ['approvals approve', 'ID [--comment TEXT] [--yes] [options]'],
  ['approvals deny', 'ID [--comment TEXT] [--yes] [options]'],
  ['approvals revoke', 'ID [--reason TEXT] [options]'],
  ['dev token', 'NAME [--admin ORIGIN] [--issuer ORIGIN]'],
  ['dev world', '[--audience ORIGIN] [--admin-audience ORIGIN] [--first-port N]'],
])('toolgate %s', (command, synopsis) => {
  it('prints its own usage, wherever --help stands', async () => {
    const [code, output] = await toolgate(...command.split(' '), '--help')
    expect(code).toBe(0)
    expect(output.split('\n')[0]?.startsWith(`toolgate ${command} ${synopsis}`)).toBe(true)
  })

  it('exits 2 with its own usage at an option that it does not have', async () => {
    const [code, output] = await toolgate(...command.split(' '), '--bogus')
    expect(code).toBe(2)
    expect(output).toContain("Unknown option '--bogus'")
    expect(output).toContain(`\n\ntoolgate ${command} ${synopsis}`)
    expect(output).not.toContain('    at ')
  })
})
