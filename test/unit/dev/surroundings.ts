import type { Surroundings } from '../../../gateway/cli/command.ts'

export interface CapturedSurroundings extends Surroundings {
  readonly printed: () => string
  readonly complained: () => string
}

/** Surroundings without a process: nothing stops them, and what is printed is kept. */
export function captureSurroundings(): CapturedSurroundings {
  const printed: string[] = []
  const complained: string[] = []
  return {
    environment: {},
    print: (text) => void printed.push(text),
    complain: (text) => void complained.push(text),
    stop: { requested: new Promise(() => {}), again: new AbortController().signal },
    onReload: () => {},
    isTerminal: false,
    ask: () => Promise.resolve(undefined),
    printed: () => printed.join(''),
    complained: () => complained.join(''),
  }
}
