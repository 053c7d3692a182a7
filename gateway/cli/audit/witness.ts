import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { systemDisk } from '../../audit/log-disk.ts'
import { formatVerifierKey } from '../../audit/tlog/verifier-key.ts'
import { startWitnessServer } from '../../audit/witness/witness-server.ts'
import { Witness } from '../../audit/witness/witness.ts'
import { systemClock } from '../../lib/clock.ts'
import { type Command, UsageError } from '../command.ts'
import { keysIn } from './keys-in.ts'

const USAGE = `toolgate audit witness --name NAME --log KEY... --key FILE --state DIR --listen HOST:PORT [options]

Witnesses logs for somebody else: remembers how far each has come, and cosigns a checkpoint only when the log can show
that it has grown to it from there (https://c2sp.org/tlog-witness). Run it where those who run the gateways have no
access. Its own verifier key is printed at the start: hand it to whoever checks the logs.

  --name NAME           name of its key, such as witness.example/w1
  --log KEY             a verifier key as \`toolgate audit key\` prints it, or a file with one a line: it may sign for
                        the log of its name and for every log below that
  --key FILE            its own key (Ed25519, PKCS #8), made at the first start
  --state DIR           what it has cosigned, a checkpoint a file; \`toolgate audit verify --checkpoint\` takes them. Back
                        it up, never put an older copy back: a key without this memory is not started with
  --listen HOST:PORT    where it serves POST /add-checkpoint
  --tls-cert FILE, --tls-key FILE   PEM; plain HTTP without them
  --json                what it says as JSON, one object a line

Exit code 0 after SIGTERM, with every request answered; 1 when it cannot be started, or cannot keep what it would
sign; 2 for wrong usage.
`

export const witness: Command = {
  summary: 'cosign checkpoints of logs, for others to rely on',
  usage: USAGE,
  async run(args, { print, complain, stop }) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        name: { type: 'string' },
        log: { type: 'string', multiple: true, default: [] },
        key: { type: 'string' },
        state: { type: 'string' },
        listen: { type: 'string' },
        'tls-cert': { type: 'string' },
        'tls-key': { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    })
    const name = demand(values.name, '--name')
    if (!/^[^\s+]{1,255}$/u.test(name)) throw new UsageError('--name holds no spaces and no +')
    const { host, port } = addressIn(demand(values.listen, '--listen'))
    const logs = values.log.flatMap(keysIn)
    if (logs.length === 0) throw new UsageError('which logs? name their keys with --log')
    const say = (
      write: (text: string) => void,
      event: string,
      fields: Record<string, string | number>,
    ): void => {
      const line = Object.entries(fields).map(([field, value]) => `  ${field} ${value}`)
      write(values.json ? `${JSON.stringify({ event, ...fields })}\n` : `${[event, ...line].join('')}\n`)
    }
    const failed = Promise.withResolvers<'fault'>()
    using owned = await Witness.open({
      name,
      keyFile: demand(values.key, '--key'),
      stateDirectory: demand(values.state, '--state'),
      logs,
      clock: systemClock,
      disk: systemDisk,
      onSplitView: (origin, size) => say(complain, 'split view', { origin: JSON.stringify(origin), size }),
    })
    await using server = await startWitnessServer(owned, {
      host,
      port,
      tls: tlsIn(values['tls-cert'], values['tls-key']),
      onFault: (cause) => {
        say(complain, 'fault', { reason: cause instanceof Error ? cause.message : 'unknown' })
        failed.resolve('fault')
      },
    })
    say(print, 'witnessing', { host, port: server.port, key: formatVerifierKey(owned.key) })
    return (await Promise.race([stop.requested, failed.promise])) === 'fault' ? 1 : 0
  },
}

function demand(value: string | undefined, option: string): string {
  if (value === undefined) throw new UsageError(`${option} is missing`)
  return value
}

function addressIn(listen: string): { readonly host: string; readonly port: number } {
  const [, host = '', port = ''] = /^(?:\[?([^\]\s]+?)\]?):(\d{1,5})$/.exec(listen) ?? []
  if (host === '' || Number(port) > 65_535) throw new UsageError('--listen is HOST:PORT')
  return { host, port: Number(port) }
}

function tlsIn(cert: string | undefined, key: string | undefined) {
  if (cert === undefined && key === undefined) return undefined
  return { cert: readFileSync(demand(cert, '--tls-cert')), key: readFileSync(demand(key, '--tls-key')) }
}
