import { pinTool, type ToolResult } from './pinned-tool.ts'

/** The version that made the committed bundle: another one may compile the same rules to other bytes. */
export const OPA_VERSION = '1.20.2'

const opa = pinTool({
  name: 'opa',
  version: OPA_VERSION,
  install: `CGO_ENABLED=0 go install github.com/open-policy-agent/opa@v${OPA_VERSION}`,
})

/** Path of the pinned `opa`. @throws Error that says what to install */
export function findOpa(): Promise<string> {
  return opa.find()
}

/**
 * Runs `opa` to its end, whatever it comes to: exit code 0 done, 1 or 2 something is wrong with what it was given.
 *
 * @throws Error when there is no `opa` of the pinned version, or it could not be run
 */
export function tryOpa(args: readonly string[], cwd: string): Promise<ToolResult> {
  return opa.run(args, cwd)
}

/** Runs `opa` and returns what it printed. Rejects with its own words when it fails. */
export async function runOpa(args: readonly string[], cwd: string): Promise<string> {
  const { exitCode, stdout, stderr } = await tryOpa(args, cwd)
  if (exitCode !== 0) throw new Error(`opa ${args[0]} failed:\n${`${stderr}${stdout}`.trimEnd()}`)
  return stdout
}
