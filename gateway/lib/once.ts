/** The same, done the first time alone: a place is given back once, however many ends its call has. */
export function once<Args extends readonly unknown[]>(
  work: (...args: Args) => void,
): (...args: Args) => void {
  let isDone = false
  return (...args) => {
    if (isDone) return
    isDone = true
    work(...args)
  }
}
