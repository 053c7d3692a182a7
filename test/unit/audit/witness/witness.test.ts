import { createPublicKey, verify } from 'node:crypto'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseCheckpoint } from '../../../../gateway/audit/tlog/checkpoint.ts'
import { isSignedBy } from '../../../../gateway/audit/tlog/note.ts'
import { formatVerifierKey, parseVerifierKey } from '../../../../gateway/audit/tlog/verifier-key.ts'
import { parseCosignerKey } from '../../../../gateway/audit/witness/cosigner-key.ts'
import { runningWitness, type RunningWitness } from '../../../harness/running-witness.ts'
import type { TemporaryDirectory } from '../../../harness/temporary-directory.ts'
import { addCheckpoint, witnessedLog, type WitnessedLog } from '../../../harness/witnessed-log.ts'
import { setWitnessScene } from './witness-scene.ts'

let directory: TemporaryDirectory
let log: WitnessedLog
let witness: RunningWitness
beforeEach(async () => {
  ;({ directory, log, witness } = await setWitnessScene())
})
afterEach(async () => {
  await witness[Symbol.asyncDispose]()
  await directory[Symbol.asyncDispose]()
})

describe('a cosignature', () => {
  it('is what tlog-cosignature says, to the byte', async () => {
    const { status, body } = await witness.post(await log.request(0, 5))
    expect(status).toBe(200)
    const [dash, name, encoded = ''] = body.trimEnd().split(' ')
    expect([dash, name]).toEqual(['—', 'witness.example/w1'])
    const bytes = Buffer.from(encoded, 'base64')
    expect(bytes.length).toBe(4 + 8 + 64)
    expect(bytes.readUInt32BE(0)).toBe(witness.key.id)
    const [text = ''] = (await log.checkpoint(5)).split('\n\n')
    const x = witness.key.publicKey.toString('base64url')
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
    const message = `cosignature/v1\ntime ${String(bytes.readBigUInt64BE(4))}\n${text}\n`
    expect(verify(null, Buffer.from(message), key, bytes.subarray(12))).toBe(true)
  })

  it('makes a note that is signed by the log and by the witness', async () => {
    const { body } = await witness.post(await log.request(0, 5))
    const cosigned = parseCheckpoint(`${await log.checkpoint(5)}${body}`)
    expect(cosigned && isSignedBy(cosigned.note, [log.key])).toBe(true)
    expect(cosigned && isSignedBy(cosigned.note, [witness.key])).toBe(true)
    const other = parseCheckpoint(`${await log.checkpoint(6)}${body}`)
    expect(other && isSignedBy(other.note, [witness.key])).toBe(false)
  })

  it('is of a key that never passes for that of a log', () => {
    const line = formatVerifierKey(witness.key)
    expect(parseCosignerKey(line).id).toBe(witness.key.id)
    expect(() => parseVerifierKey(line)).toThrow('not a verifier key')
    expect(() => parseCosignerKey(formatVerifierKey(log.key))).toThrow('not the key of a witness')
  })
})

describe('a witness', () => {
  it('follows a log that grows, by proofs of every kind of step', async () => {
    const sizes = [0, 1, 2, 3, 7, 8, 8, 13, 64, 65, 100]
    for (const [at, size] of sizes.entries())
      expect(await witness.post(await log.request(sizes[at - 1] ?? 0, size))).toMatchObject({ status: 200 })
  })

  it('answers 409 with the size when the old size is another one', async () => {
    await witness.post(await log.request(0, 5))
    const conflict = { status: 409, contentType: 'text/x.tlog.size', body: '5\n' }
    expect(await witness.post(await log.request(0, 9))).toEqual(conflict)
    expect(await witness.post(await log.request(7, 9))).toEqual(conflict)
  })

  it('answers 404 for the origin of another log, even one whose name begins alike', async () => {
    for (const name of ['other.example', 'gateway.example.evil', 'gateway'])
      expect(await witness.post(await witnessedLog(name).request(0, 5))).toMatchObject({ status: 404 })
  })

  it('answers 403 when no key of the log signed', async () => {
    const stranger = witnessedLog('gateway.example')
    expect(await witness.post(await stranger.request(0, 5))).toMatchObject({ status: 403 })
  })

  it('answers 403 to the key of a whole deployment for a part that has a key of its own', async () => {
    const whole = witnessedLog('bank.example', 'bank.example/host-3/fleet/e1')
    const part = witnessedLog('bank.example/host-3', 'bank.example/host-3/fleet/e1')
    await using other = await runningWitness(join(directory.path, 'other'), [whole.key, part.key])
    expect(await other.post(await whole.request(0, 5))).toMatchObject({ status: 403 })
    expect(await other.post(await part.request(0, 5))).toMatchObject({ status: 200 })
  })

  it.each([
    ['no old size', async () => `\n\n${await log.checkpoint(5)}`],
    ['a leading zero', async () => `old 00\n\n${await log.checkpoint(5)}`],
    ['an old size beyond the new one', () => log.request(9, 5)],
    ['a hash that is too short', async () => `old 1\nAAAA\n\n${await log.checkpoint(5)}`],
    [
      '64 hashes',
      async () => addCheckpoint(1, Array<Buffer>(64).fill(Buffer.alloc(32)), await log.checkpoint(5)),
    ],
    ['no checkpoint', () => Promise.resolve('old 0\n\n')],
    ['no newline at the end', async () => (await log.request(0, 5)).slice(0, -1)],
    ['nothing', () => Promise.resolve('')],
  ])('answers 400 to %s', async (_what, body) => {
    expect(await witness.post(await body())).toMatchObject({ status: 400 })
  })

  it('answers 400 to bytes that are no UTF-8', async () => {
    const body = Buffer.from(await log.request(0, 5))
    body[body.length - 2] = 0xff
    expect(await witness.post(new Uint8Array(body))).toMatchObject({ status: 400 })
  })

  it('answers 404 elsewhere and 405 to another method', async () => {
    expect((await fetch(`${witness.url}/`, { method: 'POST', body: '' })).status).toBe(404)
    expect((await fetch(`${witness.url}/add-checkpoint`)).status).toBe(405)
  })

  it('makes its key and its memory for its owner alone', async () => {
    await witness.post(await log.request(0, 5))
    expect((await stat(join(directory.path, 'witness.key'))).mode & 0o777).toBe(0o600)
    expect((await stat(join(directory.path, 'state'))).mode & 0o777).toBe(0o700)
  })
})

describe('a request that is too large', () => {
  it('is answered 413 while it still arrives', async () => {
    const { hostname, port } = new URL(witness.url)
    const socket = connect(Number(port), hostname)
    socket.write('POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: 100000000\r\n\r\n')
    socket.write(Buffer.alloc(80_000, 'a'))
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /)
    socket.destroy()
  })
})
