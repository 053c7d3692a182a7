import { open } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { checkProof, type ProvenEntry } from '../../audit/evidence/check-proof.ts'
import { PROOF_LIMIT_BYTES } from '../../audit/evidence/proof-file.ts'
import { hasCode } from '../../audit/log-disk.ts'
import { printable } from '../../lib/scrub.ts'
import { type Command, UsageError } from '../command.ts'
import { keysIn, witnessPolicy } from './keys-in.ts'

const USAGE = `toolgate audit verify-proof FILE --key KEY... [--witness KEY]... [--quorum N] [--json]

Checks a proof that \`toolgate audit prove\` wrote, with nothing but the file and the key: that the log's key signed the
checkpoint, that the entry is in what was signed, and that each disclosed value is what the entry commits to.

  --key KEY          a verifier key as \`toolgate audit key\` prints it, or a file with one a line
  --witness KEY      verifier key of a witness, or a file with one a line: they have to have cosigned the checkpoint
  --quorum N         how many of them are enough; all without it
  --json             one JSON object

Exit codes: 0 proven · 1 not proven · 2 wrong usage
`

const TEXT_LIMIT = 4_096

export const verifyProof: Command = {
  summary: 'check the proof of an entry, offline',
  usage: USAGE,
  async run(args, { print }) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        key: { type: 'string', multiple: true, default: [] },
        witness: { type: 'string', multiple: true, default: [] },
        quorum: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    })
    const [file, ...more] = positionals
    if (file === undefined || more.length > 0) throw new UsageError('which proof?')
    if (values.key.length === 0) throw new UsageError('--key says which log is trusted')
    const trusted = {
      keys: values.key.flatMap(keysIn),
      cosigned: witnessPolicy(values.witness, values.quorum),
    }
    const checked = checkProof(await readBounded(file), trusted)
    if (values.json) print(`${JSON.stringify(checked.proven ? asJson(checked) : checked)}\n`)
    else if (checked.proven) print(describe(checked))
    else print(`not proven: ${checked.code}: ${checked.detail}\n`)
    return checked.proven ? 0 : 1
  },
}

/** One byte more than a proof may have tells that it is none, however large the file is. */
async function readBounded(path: string): Promise<string> {
  try {
    await using file = await open(path)
    const chunks: Buffer[] = []
    for await (const chunk of file.createReadStream({ end: PROOF_LIMIT_BYTES, autoClose: false }))
      chunks.push(chunk as Buffer)
    const bytes = Buffer.concat(chunks)
    return bytes.length > PROOF_LIMIT_BYTES ? '' : bytes.toString()
  } catch (cause) {
    if (hasCode(cause, 'ENOENT') || hasCode(cause, 'EISDIR')) throw new UsageError(`no such file: ${path}`)
    throw cause
  }
}

function asJson({ checkpoint, index, signer, cosigners, entry, disclosed, withheld }: ProvenEntry): object {
  const { origin, size, root } = checkpoint
  return {
    proven: true,
    origin,
    index,
    size,
    root: root.toString('base64'),
    signer,
    cosigners,
    entry: entry.toString(),
    disclosed: Object.fromEntries(disclosed),
    withheld,
  }
}

/** What the file says was written by others: no more than a terminal can bear. */
function describe({ checkpoint, index, signer, cosigners, entry, disclosed, withheld }: ProvenEntry): string {
  const { origin, size } = checkpoint
  const lines = [
    `proven: entry ${String(index)} of ${shown(origin)} is in the ${String(size)} entries that ${shown(signer)} signed`,
    ...(cosigners.length === 0 ? [] : [`cosigned by ${cosigners.map(shown).join(', ')}`]),
    `the entry: ${shown(entry.toString())}`,
    ...[...disclosed].map(([path, value]) => `it commits to ${shown(path)}: ${shown(JSON.stringify(value))}`),
    ...withheld.map((path) => `it commits to ${shown(path)}, which this file does not disclose`),
  ]
  return lines.map((line) => `${line}\n`).join('')
}

function shown(text: string): string {
  return printable(text, TEXT_LIMIT)
}
