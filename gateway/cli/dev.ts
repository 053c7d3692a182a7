import type { Command } from './command.ts'

const USAGE = `toolgate dev [--port N] [--admin-port N]      gateway, issuer and the vendors' stand-ins, all on loopback
toolgate dev world [options]                  only the issuer and the stand-ins, on ports 8090 to 8094
toolgate dev call CONNECTOR METHOD PATH       one signed call through the running gateway
toolgate dev token NAME                       an access token of a person, for toolgate approvals and lock
toolgate dev tour [options]                   an example agent, then what is refused and why

\`toolgate dev call --help\` says more, and so do the others.
`

/** For newcomers: needs no identity provider, no Redis, no network. Its parts are loaded only when it runs. */
export const dev: Command = {
  summary: 'run everything on this machine, make a call, take the tour',
  usage: USAGE,
  subcommands: new Map([
    ['call', async () => (await import('../dev/call.ts')).call],
    ['token', async () => (await import('../dev/token.ts')).token],
    ['tour', async () => (await import('../dev/tour.ts')).tour],
    ['world', async () => (await import('../dev/run-world.ts')).world],
  ]),
  async run(args, surroundings) {
    return (await import('../dev/run.ts')).runDev(args, surroundings)
  },
}
