import { join } from 'node:path'
import { loadConfig } from '../../config/load.ts'
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
  return configPath === undefined ? undefined : createCalendar(loadConfig(configPath, { environment }).policy)
}
