import type { AdminConfig } from './admin-config.ts'
import type { Config } from './config.ts'
import { isLoopback, isSafeSource } from './loopback.ts'
import type { ConfigProblem } from './problem.ts'

/** What is wrong with the ways in of operators and people. */
export function administering({ listen: { admin } }: Config): ConfigProblem[] {
  const { people, tls } = admin
  const problems: ConfigProblem[] = []
  const isPrivate = tls !== undefined || isLoopback(admin.host)
  const knowsPeople = people.issuers.length > 0 || people.certificates.length > 0
  if (!isLoopback(admin.host) && admin.token === undefined && !knowsPeople) {
    problems.push({
      path: 'listen.admin.token',
      reason: 'is required when the admin listener is not on loopback',
    })
  }
  if (people.issuers.length > 0 && !isPrivate) {
    // A token that is bound to no key is anybody's who reads it on the way.
    problems.push({
      path: 'listen.admin.tls',
      reason: 'is required for people to sign in when it is not on loopback',
    })
  }
  if (people.issuers.length > 0 && !isLoopback(admin.host) && admin.externalOrigins.length === 0) {
    problems.push({
      path: 'listen.admin.externalOrigins',
      reason: 'is required for people to sign in when it is not on loopback',
    })
  }
  if (tls !== undefined && tls.clientCertificate !== 'none' && tls.clientCaFile === undefined) {
    problems.push({
      path: 'listen.admin.tls.clientCaFile',
      reason: 'is required when client certificates are asked for',
    })
  }
  if (people.certificates.length > 0 && (tls?.clientCertificate ?? 'none') === 'none') {
    problems.push({
      path: 'listen.admin.people.certificates',
      reason: 'needs listen.admin.tls.clientCertificate: nobody is asked for one',
    })
  }
  return [...problems, ...certificateProblems(admin), ...issuerProblems(admin)]
}

function certificateProblems({ people }: AdminConfig): ConfigProblem[] {
  const seen = new Set<string>()
  return people.certificates.flatMap(({ uri, subject }, index) => {
    const certificate = `${uri ?? ''} ${subject ?? ''}`
    if (!seen.has(certificate)) {
      seen.add(certificate)
      return []
    }
    return [{ path: `listen.admin.people.certificates.${index}`, reason: 'is the certificate of one before' }]
  })
}

function issuerProblems({ people }: AdminConfig): ConfigProblem[] {
  const seen = new Set<string>()
  return people.issuers.flatMap(({ issuer, jwks }, index) => {
    const path = `listen.admin.people.issuers.${index}`
    const problems: ConfigProblem[] = []
    if (seen.has(issuer)) problems.push({ path: `${path}.issuer`, reason: 'is listed twice' })
    seen.add(issuer)
    if ('uri' in jwks && !isSafeSource(jwks.uri))
      problems.push({ path: `${path}.jwks.uri`, reason: 'must be https (http only on loopback)' })
    return problems
  })
}

/** An agent has a token that names its principal: were it taken here, the agent could answer in that person's name. */
export function separating({ identity, listen: { admin } }: Config): ConfigProblem[] {
  const ofAgents = new Set(identity.issuers.flatMap(({ audiences }) => audiences))
  return admin.people.issuers.flatMap(({ audiences }, index) =>
    audiences
      .filter((audience) => ofAgents.has(audience))
      .map((audience) => ({
        path: `listen.admin.people.issuers.${index}.audiences`,
        reason: `${audience} is what tokens of agents are for (identity.issuers), so an agent could answer as its principal`,
      })),
  )
}
