import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseCheckpoint, signCheckpoint } from '../../../../gateway/audit/tlog/checkpoint.ts'
import { isSignedBy } from '../../../../gateway/audit/tlog/note.ts'
import { createKeySigner } from '../../../../gateway/audit/tlog/signer.ts'
import { formatVerifierKey, parseVerifierKey } from '../../../../gateway/audit/tlog/verifier-key.ts'
import { parseCosignerKey } from '../../../../gateway/audit/witness/cosigner-key.ts'
import { failingDisk } from '../../../harness/failing-disk.ts'
import { referenceConsistency } from '../../../harness/reference-tree.ts'
import { runningWitness, type RunningWitness } from '../../../harness/running-witness.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../../../harness/temporary-directory.ts'
import { addCheckpoint, witnessedLog, type WitnessedLog } from '../../../harness/witnessed-log.ts'

let directory: TemporaryDirectory
let log: WitnessedLog
let witness: RunningWitness

beforeEach(async () => {
  directory = await temporaryDirectory()
  log = witnessedLog()
  witness = await runningWitness(directory.path, [log.key])
})

afterEach(async () => {
  await witness[Symbol.asyncDispose]()
  await directory[Symbol.asyncDispose]()
})

/** What the witness says it cosigned last, asked as a client without a memory does. */
async function newestSize(of: RunningWitness): Promise<string> {
  return (await of.post(await log.request(0, 1))).body
}

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

describe('a log that lies', () => {
  it('cannot roll back: what was cosigned once is not cosigned again after a larger one', async () => {
    await witness.post(await log.request(0, 5))
    await witness.post(await log.request(5, 9))
    expect(await witness.post(await log.request(0, 5))).toMatchObject({ status: 409, body: '9\n' })
    expect(await witness.post(await log.request(5, 5))).toMatchObject({ status: 409, body: '9\n' })
    expect(await witness.post(await log.request(9, 5))).toMatchObject({ status: 400 })
  })

  it('gets one root for one size, and two that it signed are kept', async () => {
    await witness.post(await log.request(0, 5))
    expect(await witness.post(await log.request(5, 5, 'forged'))).toMatchObject({ status: 409, body: '5\n' })
    expect(witness.splitViews).toEqual([`${log.origin} 5`])
    const files = (await readdir(join(directory.path, 'state'))).filter((name) => name.includes('checkpoint'))
    const roots = await Promise.all(
      files.map(async (name) => parseCheckpoint(await readFile(join(directory.path, 'state', name), 'utf8'))),
    )
    expect(new Set(roots.map((kept) => kept?.root.toString('hex'))).size).toBe(2)
    expect(await witness.post(await log.request(5, 5))).toMatchObject({ status: 200 })
  })

  it('cannot bring the proof of another tree', async () => {
    await witness.post(await log.request(0, 5))
    expect(await witness.post(await log.request(5, 9, 'forged'))).toMatchObject({ status: 422 })
    const entries = Array.from({ length: 9 }, (_, index) => Buffer.from(`forged ${String(index)}`))
    const foreign = addCheckpoint(5, referenceConsistency(5, entries), await log.checkpoint(9))
    expect(await witness.post(foreign)).toMatchObject({ status: 422 })
    expect(await witness.post(addCheckpoint(5, [], await log.checkpoint(9)))).toMatchObject({ status: 422 })
    expect(await newestSize(witness)).toBe('5\n')
  })

  it('cannot bring a proof from nothing, or a root for no entries', async () => {
    const hash = Buffer.alloc(32)
    expect(await witness.post(addCheckpoint(0, [hash], await log.checkpoint(5)))).toMatchObject({
      status: 422,
    })
    const signer = createKeySigner('gateway.example', generateKeyPairSync('ed25519').privateKey)
    const empty = await signCheckpoint({ origin: log.origin, size: 0, root: hash }, signer)
    await using other = await runningWitness(join(directory.path, 'other'), [signer.key])
    expect(await other.post(addCheckpoint(0, [], empty))).toMatchObject({ status: 409 })
  })

  it('does not go back by two sizes at once', async () => {
    await witness.post(await log.request(0, 5))
    const [larger, smaller] = await Promise.all([log.request(5, 50), log.request(5, 9)])
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, index) => witness.post(index % 2 === 0 ? larger : smaller)),
    )
    const won = replies.filter(({ status }) => status === 200)
    expect(won).toHaveLength(1)
    const newest = await newestSize(witness)
    expect(replies.filter(({ status, body }) => status === 409 && body === newest)).toHaveLength(19)
  })

  it('waits for no other log', async () => {
    const disk = failingDisk()
    const other = witnessedLog('other.example')
    await using slow = await runningWitness(join(directory.path, 'slow'), [log.key, other.key], { disk })
    const release = Promise.withResolvers<void>()
    let isFirst = true
    disk.beforeEach(({ operation }) => {
      if (operation !== 'rename' || !isFirst) return
      isFirst = false
      return release.promise
    })
    const first = slow.post(await log.request(0, 5))
    const second = slow.post(await log.request(0, 9))
    await expect.poll(() => isFirst).toBe(false)
    expect(await slow.post(await other.request(0, 5))).toMatchObject({ status: 200 })
    release.resolve()
    expect(new Set([await first, await second].map(({ status }) => status))).toEqual(new Set([200, 409]))
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

describe('the memory of a witness', () => {
  const restarted = async (): Promise<RunningWitness> => {
    await witness[Symbol.asyncDispose]()
    return (witness = await runningWitness(directory.path, [log.key]))
  }

  it('outlives it', async () => {
    const { key } = witness
    await witness.post(await log.request(0, 5))
    const after = await restarted()
    expect(formatVerifierKey(after.key)).toBe(formatVerifierKey(key))
    expect(await after.post(await log.request(0, 5, 'forged'))).toMatchObject({ status: 409, body: '5\n' })
    expect(await after.post(await log.request(5, 9))).toMatchObject({ status: 200 })
  })

  it.each(['rename', 'syncDirectory'] as const)(
    'is not behind what it signed when it dies before %s is done',
    async (step) => {
      const disk = failingDisk()
      const place = join(directory.path, 'dying')
      let dying = await runningWitness(place, [log.key], { disk })
      await dying.post(await log.request(0, 5))
      disk.beforeEach(({ operation }) => {
        if (operation === step) throw new Error('gone')
      })
      expect(await dying.post(await log.request(5, 9))).toMatchObject({ status: 500 })
      disk.beforeEach(() => undefined)
      // Nobody knows what is on the disk now: it signs nothing until it has read that anew.
      expect(await dying.post(await log.request(5, 9))).toMatchObject({ status: 500 })
      await dying[Symbol.asyncDispose]()
      dying = await runningWitness(place, [log.key])
      await using again = dying
      const kept = step === 'rename' ? 5 : 9
      expect(await newestSize(again)).toBe(`${String(kept)}\n`)
      expect(await again.post(await log.request(kept, 9))).toMatchObject({ status: 200 })
    },
  )

  it('is not answered from before it is written', async () => {
    const disk = failingDisk()
    await using careful = await runningWitness(join(directory.path, 'careful'), [log.key], { disk })
    const steps: string[] = []
    disk.beforeEach(({ operation }) => void steps.push(operation))
    await careful.post(await log.request(0, 5))
    expect(steps).toEqual(['overwrite', 'write', 'sync', 'rename', 'syncDirectory'])
  })

  it('signs nothing when somebody changed it', async () => {
    await witness.post(await log.request(0, 5))
    const state = join(directory.path, 'state')
    const name = (await readdir(state)).find((file) => file.endsWith('.checkpoint')) ?? ''
    await writeFile(join(state, name), await log.checkpoint(3))
    expect(await witness.post(await log.request(3, 9))).toMatchObject({ status: 500 })
    expect(witness.faults).toHaveLength(1)
  })

  it('is not begun anew for a key that has signed before', async () => {
    await witness[Symbol.asyncDispose]()
    await rm(join(directory.path, 'state'), { recursive: true })
    await expect(runningWitness(directory.path, [log.key])).rejects.toThrow('has signed is not in')
    await rm(join(directory.path, 'witness.key'))
    await rm(join(directory.path, 'state'), { recursive: true })
    witness = await runningWitness(directory.path, [log.key])
  })

  it('is that of one key, and of one process', async () => {
    await expect(runningWitness(directory.path, [log.key])).rejects.toThrow('another witness is running')
    await witness[Symbol.asyncDispose]()
    await expect(runningWitness(directory.path, [log.key], { name: 'w2' })).rejects.toThrow(
      'is the memory of',
    )
    witness = await runningWitness(directory.path, [log.key])
  })
})
