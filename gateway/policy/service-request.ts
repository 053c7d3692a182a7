import { readFileSync } from 'node:fs'
import { request as requestHttp } from 'node:http'
import type { Agent, IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { ServiceConfig } from '../config/policy-config.ts'

export interface ServiceRequest {
  readonly method: 'GET' | 'POST' | 'PUT'
  /** Below the service's URL, without a slash at its beginning. */
  readonly resource: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** Bearer token; asked for at every request, so that it can rotate. */
  readonly token: (() => string) | undefined
  /** Keeps connections for the requests that it is given to; each gets one of its own without. */
  readonly agent?: Agent
  readonly signal: AbortSignal
}

export function serviceUrl({ url }: ServiceConfig, resource: string): URL {
  return new URL(`${url}/${resource}`)
}

/**
 * Asks a service of a control plane. Follows no redirect: whoever can redirect would choose who answers, and would be
 * sent the token and what is in the body.
 *
 * @throws Error when no header section came
 */
export function requestService(service: ServiceConfig, request: ServiceRequest): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const { method, resource, headers, body, token, agent = false, signal } = request
  const url = serviceUrl(service, resource)
  const options = {
    method,
    agent,
    signal,
    headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token()}` }) },
  }
  const sent =
    url.protocol === 'https:'
      ? requestHttps(url, { ...options, ...tlsOptions(service) })
      : requestHttp(url, options)
  sent.on('response', resolve)
  sent.on('error', reject)
  sent.end(body)
  return promise
}

/** Files are read for every request, so that certificates can rotate. */
export function tlsOptions({
  caFile,
  clientCertificateFile,
  clientKeyFile,
}: Pick<ServiceConfig, 'caFile' | 'clientCertificateFile' | 'clientKeyFile'>) {
  return {
    // Said outright, because a variable of the environment can turn it off for everybody who does not.
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2' as const,
    ...(caFile === undefined ? {} : { ca: readFileSync(caFile) }),
    ...(clientCertificateFile === undefined ? {} : { cert: readFileSync(clientCertificateFile) }),
    ...(clientKeyFile === undefined ? {} : { key: readFileSync(clientKeyFile) }),
  }
}
