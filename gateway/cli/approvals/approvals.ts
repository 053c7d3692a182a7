import { type Command, UsageError } from '../command.ts'

const USAGE = `toolgate approvals list                    what waits for people
toolgate approvals show ID                 one approval: the call as it will be sent, why it waits, who answered
toolgate approvals approve ID              let exactly this call be made, once
toolgate approvals deny ID                 refuse it for good
toolgate approvals revoke ID               take one back while it has not been used

All ask a running gateway, as the person whose token or certificate is given. \`toolgate approvals list --help\` says more,
and so do the others.
`

export const approvals: Command = {
  summary: 'list, show and answer what waits for people',
  usage: USAGE,
  subcommands: new Map([
    ['list', async () => (await import('./list.ts')).list],
    ['show', async () => (await import('./show.ts')).show],
    ['approve', async () => (await import('./answer.ts')).approve],
    ['deny', async () => (await import('./answer.ts')).deny],
    ['revoke', async () => (await import('./revoke.ts')).revoke],
  ]),
  run([name]) {
    const reason =
      name === undefined ? 'which command of approvals?' : `approvals has no command ${JSON.stringify(name)}`
    return Promise.reject(new UsageError(reason))
  },
}
