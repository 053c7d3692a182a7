import type { Config } from './config.ts'
import { type LoadOptions, readConfig } from './load.ts'
import { ConfigError } from './problem.ts'

/**
 * Sections of a configuration for commands that do not run it, on machines that need not have the secrets and files which it
 * names. They are sound in themselves; whether what they name is there is for who uses it.
 * @throws {ConfigError} with every mistake of shape in these sections
 */
export function loadSections<Name extends keyof Config>(
  path: string,
  names: readonly Name[],
  options: LoadOptions,
): Pick<Config, Name> {
  const { config, misshapen, problems } = readConfig(path, options)
  const broken = names.filter((name) => misshapen.has(name))
  if (broken.length === 0) return config
  throw new ConfigError(problems.filter((problem) => broken.some((name) => isOf(name, problem.path))))
}

function isOf(section: string, path: string): boolean {
  return path === section || path.startsWith(`${section}.`)
}
