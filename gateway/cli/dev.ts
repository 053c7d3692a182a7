import type { Command } from './command.ts'

const USAGE = `toolgate dev [--port N] [--admin-port N]      gateway, issuer and the vendors' stand-ins, all on loopback
toolgate dev world [--audience ORIGIN]        only the issuer and the stand-ins, on ports 8090 to 8094
toolgate dev call CONNECTOR METHOD PATH       one signed call through the running gateway
toolgate dev tour [--json]                    an example agent, then what is refused and why

\`toolgate dev call --help\` and \`toolgate dev tour --help\` say more.
`

/** For newcomers: needs no identity provider, no Redis, no network. Its parts are loaded only when it runs. */
export const dev: Command = {
  summary: 'run everything on this machine, make a call, take the tour',
  usage: USAGE,
  async run(args, surroundings) {
    const [name = '', ...rest] = args
    switch (name) {
      case 'call':
        return (await import('../dev/call.ts')).runCall(rest, surroundings)
      case 'tour':
        return (await import('../dev/tour.ts')).runTour(rest, surroundings)
      case 'world':
        return (await import('../dev/run.ts')).runWorld(rest, surroundings)
      default:
        return (await import('../dev/run.ts')).runDev(args, surroundings)
    }
  },
}
