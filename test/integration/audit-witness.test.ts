import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parseCheckpoint } from '../../gateway/audit/tlog/checkpoint.ts'
import { isSignedBy } from '../../gateway/audit/tlog/note.ts'
import { formatVerifierKey } from '../../gateway/audit/tlog/verifier-key.ts'
import { parseCosignerKey } from '../../gateway/audit/witness/cosigner-key.ts'
import { runAudit } from '../harness/audit-command.ts'
import { createPki } from '../harness/pki.ts'
import { temporaryDirectory } from '../harness/temporary-directory.ts'
import { runToolgate } from '../harness/toolgate-process.ts'
import { trustingFetch } from '../harness/trusting-fetch.ts'
import { until } from '../harness/until.ts'
import { witnessedLog } from '../harness/witnessed-log.ts'

it('witnesses over TLS under the key that it prints, and SIGTERM ends it', async () => {
  await using directory = await temporaryDirectory()
  await using pki = createPki()
  const { cert, key } = pki.server()
  const place = (name: string): string => join(directory.path, name)
  await Promise.all([writeFile(place('tls.pem'), cert), writeFile(place('tls.key'), key)])
  const log = witnessedLog()
  await writeFile(place('logs'), `${formatVerifierKey(log.key)}\n`)
  const options = {
    name: 'witness.example/w1',
    log: place('logs'),
    key: place('witness.key'),
    state: place('state'),
    listen: '127.0.0.1:0',
    'tls-cert': place('tls.pem'),
    'tls-key': place('tls.key'),
  }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
  await using running = runToolgate(['audit', 'witness', ...args, '--json'])
  await until(() => running.output().endsWith('\n'))
  const said = JSON.parse(running.output()) as { event: string; port: number; key: string }
  expect(said.event).toBe('witnessing')
  const reply = await trustingFetch(pki)(`https://127.0.0.1:${String(said.port)}/add-checkpoint`, {
    method: 'POST',
    body: await log.request(0, 5),
  })
  expect(reply.status).toBe(200)
  const cosigned = parseCheckpoint(`${await log.checkpoint(5)}${await reply.text()}`)
  expect(cosigned && isSignedBy(cosigned.note, [parseCosignerKey(said.key)])).toBe(true)
  running.signal('SIGTERM')
  expect(await running.ended).toBe(0)
})

it('ends with exit code 1 when it cannot rely on what it has signed', async () => {
  await using directory = await temporaryDirectory()
  const log = witnessedLog()
  const state = join(directory.path, 'state')
  const options = {
    name: 'witness.example/w1',
    log: formatVerifierKey(log.key),
    key: join(directory.path, 'witness.key'),
    state,
    listen: '127.0.0.1:0',
  }
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])
  await using running = runToolgate(['audit', 'witness', ...args, '--json'])
  await until(() => running.output().endsWith('\n'))
  const { port } = JSON.parse(running.output()) as { port: number }
  const post = async (body: string): Promise<number> => {
    const headers = { connection: 'close' }
    const url = `http://127.0.0.1:${String(port)}/add-checkpoint`
    return (await fetch(url, { method: 'POST', body, headers })).status
  }
  expect(await post(await log.request(0, 5))).toBe(200)
  const name = (await readdir(state)).find((file) => file.endsWith('.checkpoint')) ?? ''
  await writeFile(join(state, name), await log.checkpoint(3))
  expect(await post(await log.request(3, 9))).toBe(500)
  expect(await running.ended).toBe(1)
  expect(running.output()).toContain('this is not what the witness has cosigned')
})

it.each([
  [['--name', 'w', '--listen', 'here:1'], 'which logs?'],
  [['--name', 'w', '--listen', 'here'], '--listen is HOST:PORT'],
  [['--name', 'a b', '--listen', 'here:1'], 'no spaces'],
  [['--listen', 'here:1'], '--name is missing'],
])('says what is wrong with %j', async (args, said) => {
  const { exitCode, complained } = await runAudit(['witness', ...args])
  expect(exitCode).toBe(2)
  expect(complained).toContain(said)
})
