import { type Command, UsageError } from '../command.ts'

const USAGE = `toolgate audit verify DIRECTORY [options]   check every log against what was signed, offline
toolgate audit prove CALL|APPROVAL|…       write a proof of entries, for somebody who has nothing else
toolgate audit verify-proof FILE --key KEY check such a proof, offline
toolgate audit key [DIRECTORY]             print the keys that signed there, for verifiers
toolgate audit rotate-key                  let another key sign from the next start on
toolgate audit query [options]             list calls, approvals, locks and what else is on record
toolgate audit show CALL|TASK|… [options]  show a call, the timeline of a task, an approval, a lock
toolgate audit replay [options]            decide recorded calls again, and list what differs
toolgate audit export --format FORMAT      write calls as CSV, JSON Lines, OCSF events or a report to print
toolgate audit hold [NAME] [options]       keep a time from being pruned
toolgate audit erase --principal ID …      forget what was kept of calls for one person
toolgate audit prune [options]             remove what is older than it has to be kept
toolgate audit witness [options]           cosign checkpoints of somebody else's logs

\`toolgate audit verify --help\` says more, and so do the others.
`

export const audit: Command = {
  summary: 'look up the record and verify it',
  usage: USAGE,
  subcommands: new Map([
    ['verify', async () => (await import('./verify.ts')).verify],
    ['key', async () => (await import('./key.ts')).key],
    ['query', async () => (await import('./query.ts')).query],
    ['export', async () => (await import('./export.ts')).exportCalls],
    ['erase', async () => (await import('./erase.ts')).erase],
    ['hold', async () => (await import('./hold.ts')).hold],
    ['prove', async () => (await import('./prove.ts')).prove],
    ['prune', async () => (await import('./prune.ts')).prune],
    ['replay', async () => (await import('./replay.ts')).replay],
    ['rotate-key', async () => (await import('./rotate-key.ts')).rotateKey],
    ['show', async () => (await import('./show.ts')).show],
    ['verify-proof', async () => (await import('./verify-proof.ts')).verifyProof],
    ['witness', async () => (await import('./witness.ts')).witness],
  ]),
  run([name]) {
    return Promise.reject(
      new UsageError(
        name === undefined ? 'which command of audit?' : `audit has no command ${JSON.stringify(name)}`,
      ),
    )
  },
}
