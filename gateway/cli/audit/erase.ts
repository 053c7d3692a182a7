import { parseArgs } from 'node:util'
import { eraseSubject } from '../../audit/prune/erase-subject.ts'
import { readHolds } from '../../audit/prune/holds.ts'
import { type Command, UsageError } from '../command.ts'
import { RECORD_OPTIONS, RECORD_USAGE, recordPlaces } from './record-places.ts'

const USAGE = `toolgate audit erase --principal ID --tenant ID [RECORD]

Forgets the policy inputs and declared texts of calls for one person or service, for good and in every copy, by deleting
the key that they are encrypted with. The log and every proof stay what they are. Refused while any legal hold stands:
what it covers cannot be told apart from the rest under one key.

${RECORD_USAGE}
Exit codes: 0 forgotten · 1 nothing was kept, a hold stands, or the key is not here · 2 wrong usage
`

export const erase: Command = {
  summary: 'forget what was kept of calls for one person',
  usage: USAGE,
  async run(args, surroundings) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        ...RECORD_OPTIONS,
        principal: { type: 'string' },
        tenant: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    })
    const { principal, tenant } = values
    if (principal === undefined || tenant === undefined)
      throw new UsageError('erase needs --principal and --tenant')
    const { audit, disclosures, keyFile } = recordPlaces(values, surroundings)
    const [hold] = await readHolds(audit)
    if (hold !== undefined) throw new Error(`the legal hold ${hold.name} stands; nothing was forgotten`)
    const erased = await eraseSubject({ directory: disclosures, keyFile }, tenant, principal)
    if (values.json) surroundings.print(`${JSON.stringify({ erased })}\n`)
    else if (!erased) surroundings.complain('nothing was kept of calls for them\n')
    return erased ? 0 : 1
  },
}
