import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { parseCheckpoint, signCheckpoint } from '../../../../gateway/audit/tlog/checkpoint.ts'
import { EMPTY_ROOT } from '../../../../gateway/audit/tlog/merkle-hash.ts'
import { formatNote, isSignedBy, parseNote } from '../../../../gateway/audit/tlog/note.ts'
import { createKeySigner, type Signer } from '../../../../gateway/audit/tlog/signer.ts'
import { formatVerifierKey, parseVerifierKey } from '../../../../gateway/audit/tlog/verifier-key.ts'

/** What c2sp.org/signed-note and golang.org/x/mod/sumdb/note print. */
const PRINTED = [
  {
    from: 'signed-note',
    key: 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
    note:
      'This is an example message.\n\n' +
      '— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n',
  },
  {
    from: 'sumdb/note',
    key: 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
    note:
      "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n" +
      '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n',
  },
] as const

/** The private key that sumdb/note prints: an Ed25519 seed after its type byte. */
const PETER = 'AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz'

function peter(): Signer {
  const seed = Buffer.from(PETER, 'base64').subarray(1)
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  return createKeySigner('PeterNeumann', createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
}

const newSigner = (name: string, curve?: 'P-256' | 'P-384'): Signer =>
  createKeySigner(
    name,
    (curve === undefined ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: curve }))
      .privateKey,
  )

describe.each(PRINTED)('the note that $from prints', ({ key, note }) => {
  it('is signed by its key, and is the same when it is put together again', () => {
    const verifier = parseVerifierKey(key)
    const parsed = parseNote(note)
    expect(formatVerifierKey(verifier)).toBe(key)
    expect(parsed && isSignedBy(parsed, [verifier])).toBe(true)
    expect(parsed && formatNote(parsed)).toBe(note)
  })

  it('is not, with any one character of its text changed', () => {
    const verifier = parseVerifierKey(key)
    const length = note.indexOf('\n\n')
    for (let at = 0; at < length; at++) {
      const changed = `${note.slice(0, at)}${note[at] === 'x' ? 'y' : 'x'}${note.slice(at + 1)}`
      const parsed = parseNote(changed)
      expect(parsed && isSignedBy(parsed, [verifier])).toBe(false)
    }
  })
})

it('the private key that sumdb/note prints signs what it prints', async () => {
  const { key, note } = PRINTED[1]
  const signer = peter()
  const { text = '' } = parseNote(note) ?? {}
  expect(formatVerifierKey(signer.key)).toBe(key)
  const signature = await signer.sign(text)
  expect(formatNote({ text, signatures: [{ name: signer.key.name, keyId: signer.key.id, signature }] })).toBe(
    note,
  )
})

describe('a note', () => {
  it('counts without signatures of keys that nobody gave', () => {
    const [first, second] = PRINTED
    const parsed = parseNote(first.note)
    const stranger = parsed && {
      ...parsed,
      signatures: [...parsed.signatures, ...(parseNote(second.note)?.signatures ?? [])],
    }
    expect(stranger && isSignedBy(stranger, [parseVerifierKey(first.key)])).toBe(true)
    expect(parsed && isSignedBy(parsed, [parseVerifierKey(second.key)])).toBe(false)
    expect(parsed && isSignedBy(parsed, [])).toBe(false)
  })

  it('is spoilt by a bad signature of a given key, whatever else signs it', () => {
    const [first, second] = PRINTED
    const parsed = parseNote(first.note)
    const [bad] = parseNote(second.note)?.signatures ?? []
    const spoilt = parsed && bad && { ...parsed, signatures: [...parsed.signatures, bad] }
    expect(spoilt && isSignedBy(spoilt, [parseVerifierKey(first.key), parseVerifierKey(second.key)])).toBe(
      false,
    )
  })

  const [{ note }] = PRINTED
  it.each([
    ['without signatures', note.slice(0, note.indexOf('—'))],
    ['without its last newline', note.slice(0, -1)],
    ['with a control character', note.replace('example', 'exam\tple')],
    ['with a carriage return', note.replaceAll('\n', '\r\n')],
    ['with bytes that are no UTF-8', Buffer.from(note).fill(0xff, 3, 4).toString()],
    ['with a hyphen for the dash', note.replace('—', '-')],
    ['with a signature that is no base64', note.replace('Uw2Q', 'Uw*Q')],
    ['with another spelling of the same signature', note.replace('aQM=', 'aQN=')],
    ['with a name that has a plus', note.replace('— example.com/foo', '— example.com+foo')],
    ['of nothing', ''],
    ['too long to be read', `${'x'.repeat(70_000)}\n\n${note.slice(note.indexOf('—'))}`],
  ])('%s is none', (_, text) => {
    expect(parseNote(text)).toBeUndefined()
  })
})

describe('a verifier key', () => {
  it.each([
    ['of another name', PRINTED[0].key.replace('example.com/foo', 'example.com/bar')],
    ['of another id', PRINTED[0].key.replace('530d903a', '530d903b')],
    ['of an unknown type', 'example.com/foo+530d903a+CekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'],
    ['that is too short', 'example.com/foo+530d903a+Aeky'],
    ['that is none', 'hello'],
  ])('%s is refused', (_, text) => {
    expect(() => parseVerifierKey(text)).toThrow(RangeError)
  })

  it('of P-256 signs and verifies, and is read back from its text', async () => {
    const signer = newSigner('kms.example', 'P-256')
    const verifier = parseVerifierKey(formatVerifierKey(signer.key))
    expect(verifier.verify('text\n', await signer.sign('text\n'))).toBe(true)
    expect(verifier.verify('other\n', await signer.sign('text\n'))).toBe(false)
  })

  it('of another curve signs nothing', () => {
    expect(() => newSigner('kms.example', 'P-384')).toThrow(RangeError)
  })
})

describe('a checkpoint', () => {
  it('is read back as it was signed', async () => {
    const signer = newSigner('gateway.example')
    const checkpoint = { origin: 'gateway.example/worker-0/e', size: 12, root: Buffer.alloc(32, 5) }
    const text = await signCheckpoint(checkpoint, signer)
    const parsed = parseCheckpoint(text)
    expect(parsed).toMatchObject(checkpoint)
    expect(parsed && isSignedBy(parsed.note, [signer.key])).toBe(true)
    expect(text.split('\n').slice(0, 3)).toEqual([
      'gateway.example/worker-0/e',
      '12',
      Buffer.alloc(32, 5).toString('base64'),
    ])
  })

  // tlog-checkpoint's own example; who holds its key is not said.
  it('that tlog-checkpoint prints is read', () => {
    const printed =
      'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n' +
      '— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n'
    expect(parseCheckpoint(printed)).toMatchObject({
      origin: 'example.com/behind-the-sofa',
      size: 20_852_163,
    })
  })

  const signed = (text: string): string => `${text}\n${PRINTED[0].note.slice(PRINTED[0].note.indexOf('—'))}`
  const root = EMPTY_ROOT.toString('base64')
  it.each([
    ['with a size that has a zero in front', `log\n012\n${root}\n`],
    ['with a negative size', `log\n-1\n${root}\n`],
    ['with a size that no number holds', `log\n9999999999999999\n${root}\n`],
    ['with a short root', 'log\n1\nAAAA\n'],
    ['without an origin', `\n1\n${root}\n`],
    ['of two lines', 'log\n1\n'],
  ])('%s is none', (_, text) => {
    expect(parseCheckpoint(signed(text))).toBeUndefined()
  })
})
