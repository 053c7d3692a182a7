import { randomUUID } from 'node:crypto'
import { createDpopKey } from '../../../gateway/dev/proof.ts'
import { createSigningFetch, installFetch } from '../../../gateway/dev/signing-fetch.ts'
import { createTokenSource, discoverIssuer } from '../../../gateway/dev/token-source.ts'
import { belowGateway, createClients } from './clients.ts'
import { EXAMPLE_REQUEST, reviewChange } from './review.ts'

const [gateway = 'http://127.0.0.1:8080'] = process.argv.slice(2)

const key = await createDpopKey()
const signing = createSigningFetch({
  gateway,
  key,
  accessToken: createTokenSource({
    issuer: await discoverIssuer(gateway),
    key,
    persona: 'change-review-agent',
  }),
  // Declared facts: shown to approvers and kept on record, never trusted as proof.
  headers: {
    'Toolgate-Task': `change-review-${randomUUID()}`,
    'Toolgate-Ticket': EXAMPLE_REQUEST.ticket,
    'Toolgate-Rationale': 'Advisory review before the change board meets',
    'Toolgate-Rollback-Plan': 'Delete the comment and the message',
  },
})
using _installed = installFetch(signing)

const review = await reviewChange(createClients(belowGateway(gateway)), EXAMPLE_REQUEST)
console.log(JSON.stringify(review, null, 2))
