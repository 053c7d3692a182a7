import { parseArgs } from 'node:util'
import { listKeys } from '../../audit/tlog/signing-key.ts'
import { formatVerifierKey } from '../../audit/tlog/verifier-key.ts'
import { loadSections } from '../../config/load-sections.ts'
import type { Command } from '../command.ts'

const USAGE = `toolgate audit key [DIRECTORY] [--config FILE] [--json]

Prints the verifier keys of every key that has signed in an audit directory, one a line, in the form that
\`toolgate audit verify --key\` and Go's golang.org/x/mod/sumdb/note take. Without DIRECTORY the one that the
configuration names. Hand them to an auditor by another way than the directory itself. Exit code 1 when there is none.
`

export const key: Command = {
  summary: 'print the keys that signed the audit logs',
  usage: USAGE,
  async run(args, { environment, print, complain }) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        config: { type: 'string', default: 'toolgate.yaml' },
        json: { type: 'boolean', default: false },
      },
    })
    const directory =
      positionals[0] ?? loadSections(values.config, ['audit'], { environment }).audit.directory
    const keys = (await listKeys(directory)).map(formatVerifierKey)
    if (values.json) print(`${JSON.stringify({ keys }, undefined, 2)}\n`)
    else for (const line of keys) print(`${line}\n`)
    if (keys.length === 0) complain(`no key has signed in ${directory}\n`)
    return keys.length === 0 ? 1 : 0
  },
}
