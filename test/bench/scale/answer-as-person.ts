import type { Issuer } from '../../harness/issuer.ts'
import type { RunningToolgate } from '../compare/toolgate.ts'

const AUDIENCE = 'https://admin.bench'

/** The section of toolgate.yaml by which people of the issuer may answer. */
export function peopleOf({ issuer, jwksUri }: Issuer): object {
  return { issuers: [{ issuer, audiences: [AUDIENCE], jwks: { uri: jwksUri } }] }
}

/** Says yes to the newest that is asked for; answers when that was sent. */
export async function answerAsPerson({ adminPort }: RunningToolgate, issuer: Issuer): Promise<number> {
  const claims = {
    aud: AUDIENCE,
    client_id: 'console',
    sub: 'kim@zyx.example',
    groups: ['change-approvers'],
  }
  const headers = { authorization: `Bearer ${issuer.token({ claims })}`, 'content-type': 'application/json' }
  const ask = async (path: string, body?: object): Promise<unknown> => {
    const url = `http://127.0.0.1:${String(adminPort)}/admin/v1/approvals${path}`
    const post = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
    const reply = await fetch(url, { headers, ...post })
    if (!reply.ok) throw new Error(`${path}: ${String(reply.status)} ${await reply.text()}`)
    return reply.json()
  }
  const { approvals } = (await ask('?state=pending&limit=1')) as { approvals: readonly { id: string }[] }
  const id = approvals[0]?.id ?? ''
  const { approval } = (await ask(`/${id}`)) as { approval: { viewDigest: string } }
  const sentMs = performance.now()
  await ask(`/${id}/votes`, { verdict: 'approve', viewDigest: approval.viewDigest })
  return sentMs
}
