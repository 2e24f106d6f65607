import type { Stage } from './stage.ts'
import type { Waits } from './waits.ts'

/**
 * Runs what is no record from the log, under the task's stage: all that it does stays or, where a policy goes on after an error, nothing.
 *
 * @param failed Applies the policy, after all is undone: returns when the task goes on, else throws.
 * @returns a promise when it is not done yet: it is to be waited for before anything else of the task.
 */
export function runStaged(
  { stage, waits }: { readonly stage: Stage; readonly waits: Waits },
  run: () => void | Promise<void>,
  failed: (error: unknown) => void
): void | Promise<void> {
  const undo = (error: unknown): void => {
    stage.rollback()
    failed(error)
  }
  stage.mark()
  try {
    const running = run()
    if (running) waits.add(running)
    if (waits.any) return waits.settled().then(stage.release, undo)
    stage.release()
  } catch (error) {
    if (waits.any)
      return waits.settled().then(
        () => undo(error),
        () => undo(error)
      )
    undo(error)
  }
}
