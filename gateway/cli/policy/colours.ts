import { styleText } from 'node:util'
import type { Surroundings } from '../command.ts'

export type Colour = 'red' | 'green' | 'yellow' | 'dim' | 'bold'
export type Paint = (colour: Colour, text: string) => string

/** Colours for a person at a terminal who has not asked for none (https://no-color.org); plain text for all else. */
export function paintFor({
  isTerminal,
  environment,
}: Pick<Surroundings, 'isTerminal' | 'environment'>): Paint {
  const wanted = isTerminal && (environment['NO_COLOR'] ?? '') === ''
  return (colour, text) => (wanted ? styleText(colour, text, { validateStream: false }) : text)
}
