import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestAdmin, type TestAdmin } from '../harness/admin.ts'
import { startTestGateway, type TestGateway } from '../harness/gateway.ts'
import { askLocks, person, setLock } from '../harness/locking.ts'
import { type Ran, toolgateHere } from '../harness/run-here.ts'

let toolgate: TestGateway
let admin: TestAdmin
beforeAll(async () => {
  toolgate = await startTestGateway()
  admin = await startTestAdmin({}, toolgate.gateway)
})
afterAll(async () => {
  await admin[Symbol.asyncDispose]()
  await toolgate[Symbol.asyncDispose]()
})

const lock = (...args: string[]): Promise<Ran> =>
  toolgateHere(['lock', ...args], { environment: { TOOLGATE_ADMIN: `http://127.0.0.1:${admin.port}` } })

const PULL = '/github/repos/zyx/platform-infra/pulls/991'

describe('toolgate lock', () => {
  it('sets a lock that stops calls, lists it, and releases it', async () => {
    const set = await lock(
      'set',
      'disabled_connectors:github',
      '--reason',
      'credential leaked',
      '--expires',
      '2h',
    )
    expect(set).toMatchObject({ exitCode: 0, complained: '' })
    const [said, id = ''] = set.printed.trim().split('\n')
    expect(said).toBe('locked connector:github')
    expect(await toolgate.send('GET', PULL)).toMatchObject({ status: 403, code: 'lock.engaged' })

    const { printed } = await lock('list')
    expect(printed).toMatch(/^ {2}ID +SCOPE +SINCE +ENDS +BY +WHY\n/)
    expect(printed).toContain(`${id}  connector:github`)
    expect(printed).toMatch(/operator +credential leaked\n$/)

    expect(await lock('release', id, '--reason', 'new credential')).toMatchObject({
      exitCode: 0,
      printed: 'released connector:github\n',
    })
    expect(await toolgate.send('GET', PULL)).toMatchObject({ status: 200 })
    expect(await lock('list')).toMatchObject({ exitCode: 0, printed: '', complained: 'nothing is locked\n' })
    const changes = (await toolgate.records()).filter((entry) => entry.type === 'lock')
    expect(changes).toMatchObject([{ state: 'set' }, { state: 'released', reason: 'new credential' }])
  })

  it('gives programs the answer as it is', async () => {
    const set = await lock(
      'set',
      'task:CHG-1',
      '--reason',
      'x',
      '--writes',
      '--tokens-before',
      'now',
      '--json',
    )
    const answer = JSON.parse(set.printed) as { lock: { id: string } }
    expect(answer).toMatchObject({
      lock: { scope: 'task:CHG-1', writesOnly: true },
      shared: true,
      warnings: [],
    })
    expect(JSON.parse((await lock('list', '--json')).printed)).toMatchObject({
      state: 'fresh',
      locks: [{ id: answer.lock.id }],
    })
    expect(JSON.parse((await lock('release', answer.lock.id, '--json')).printed)).toMatchObject({
      released: true,
    })
  })

  it('does not end with the operators’ token what takes a person, and says who has asked', async () => {
    const id = await setLock(toolgate.gateway, 'tenant:zy', { release: 'another-person' })
    const refused = await lock('release', id)
    expect(refused.exitCode).toBe(3)
    expect(refused.complained).toContain('The lock holds: A person has to release it')
    expect((await lock('list')).printed).toContain('takes another person; operator asks for its release')
    for (const name of ['dana', 'erik'])
      await askLocks(toolgate.gateway, 'DELETE', { id, actor: person(name) })
  })

  it('warns of a lock that stops nothing here', async () => {
    const { exitCode, complained, printed } = await lock('set', 'connector:githb', '--reason', 'x')
    expect(exitCode).toBe(0)
    expect(complained).toContain('warning: no connector here is called githb: there are github')
    await lock('release', printed.trim().split('\n')[1] ?? '')
  })

  it.each([
    [['set', 'user:dana', '--reason', 'x'], 'is no scope'],
    [['set', 'all'], '--reason is needed'],
    [['set', '--reason', 'x'], 'one scope at a time'],
    [['set', 'all', '--reason', 'x', '--expires', '2 hours'], '--expires is a duration'],
    [['release', 'x'], 'is no id of a lock'],
    [['free'], 'lock has no command "free"'],
  ])('%j is a mistake, and the answer has the list of scopes', async (args, said) => {
    const { exitCode, complained } = await lock(...args)
    expect(exitCode).toBe(2)
    expect(complained).toContain(said)
    expect(args[0] === 'release' || complained.includes('principal:ID or principal:ISSUER#ID')).toBe(true)
  })
})
