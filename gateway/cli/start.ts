import type { Command } from './command.ts'

const USAGE = `toolgate start [--config FILE]

Starts the gateway. SIGHUP, or a change of the file or of the certificates, client CA and revocation list that
listen.tls names, reloads the configuration: all or nothing, the last good one stays. Either opens the log file anew,
for log rotation. SIGTERM drains: not ready, grace, no new connections, calls in flight finish, log sealed, exit 0. A
second signal skips the waiting, a third ends the process where it stands.
`

export const start: Command = {
  summary: 'start the gateway',
  usage: USAGE,
  // Whoever only asks what there is need not wait for the whole gateway to load.
  run: async (args, surroundings) => (await import('./run-start.ts')).runStart(args, surroundings),
}
