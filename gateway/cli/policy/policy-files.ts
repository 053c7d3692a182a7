import { join } from 'node:path'
import { loadSections } from '../../config/load-sections.ts'
import { POLICIES_DIRECTORY } from '../../policy/authoring/policies-directory.ts'
import type { RecordOptions } from '../../policy/authoring/recorded-call.ts'
import { createCalendar } from '../../policy/calendar.ts'
import type { Surroundings } from '../command.ts'

/** The bundle that a gateway evaluates when its configuration names none. */
export const DEFAULT_BUNDLE = join(POLICIES_DIRECTORY, 'bundle.tar.gz')

/** Business hours are not on record but in the configuration of the gateway that made it. */
export function timeFrom(
  configPath: string | undefined,
  { environment }: Pick<Surroundings, 'environment'>,
): RecordOptions['timeOf'] {
  return configPath === undefined
    ? undefined
    : createCalendar(loadSections(configPath, ['policy'], { environment }).policy)
}

/** `--data` of every command that reads a policy. */
export const DATA_OPTION = { data: { type: 'string', multiple: true, default: [] as string[] } } as const

export const DATA_USAGE = `  --data NAME=FILE          a bundle of data beside the rules, as policy.data names it; as many as there are
`
