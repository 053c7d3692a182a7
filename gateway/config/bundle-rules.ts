import type { Config } from './config.ts'
import { isSafeSource } from './loopback.ts'
import type { BundleConfig, BundleServiceConfig, PolicyConfig } from './policy-config.ts'
import type { ConfigProblem } from './problem.ts'

/** Every bundle that a configuration names, by the path of its settings. */
export function bundlesOf(policy: PolicyConfig): readonly (readonly [path: string, bundle: BundleConfig])[] {
  const data = Object.entries(policy.data).map(([name, bundle]) => [`policy.data.${name}`, bundle] as const)
  const { shadow } = policy
  return [['policy', policy], ...data, ...(shadow === undefined ? [] : [['policy.shadow', shadow] as const])]
}

/** What is wrong with where bundles come from. */
export function fetching({ policy }: Config): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const owners = new Map<string, string>()
  for (const [path, bundle] of bundlesOf(policy)) {
    const { service } = bundle
    // The policy's own file has a default, so beside a service it is just not read.
    if (path !== 'policy' && (bundle.bundle === undefined) === (service === undefined)) {
      problems.push({ path, reason: 'needs exactly one of bundle, service' })
    }
    const source = service === undefined ? (bundle.bundle ?? path) : `${service.url}/${service.resource}`
    const owner = owners.get(source)
    // The shadow may be what is live; then nothing differs.
    if (owner !== undefined && path !== 'policy.shadow')
      problems.push({ path, reason: `comes from the same place as ${owner}` })
    owners.set(source, path)
    if (service !== undefined) problems.push(...serviceProblems(`${path}.service`, service))
  }
  return problems
}

function serviceProblems(path: string, service: BundleServiceConfig): ConfigProblem[] {
  const problems: ConfigProblem[] = []
  const refuse = (setting: string, reason: string): void => {
    problems.push({ path: `${path}.${setting}`, reason })
  }
  const { url, pollMinMs, pollMaxMs, clientCertificateFile, clientKeyFile } = service
  if (!isSafeSource(url)) refuse('url', 'must be https (http only on loopback)')
  if (pollMinMs > pollMaxMs) refuse('pollMinMs', 'must not be above pollMaxMs')
  if ((clientCertificateFile === undefined) !== (clientKeyFile === undefined)) {
    refuse('clientKeyFile', 'and clientCertificateFile need each other')
  }
  if (clientCertificateFile !== undefined && !url.startsWith('https:')) {
    refuse('clientCertificateFile', 'is shown over https only')
  }
  return problems
}
