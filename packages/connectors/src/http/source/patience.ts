import type { Environment } from '@millrace/log'
import { sleep } from '../../sleep.ts'
import type { SourceContext } from '../../source.ts'

/** How long a server wants to be left alone. It outlives the reader that was told so. */
export class Patience {
  /** Of the monotonic clock. */
  #untilMs = 0

  /** The server is not to be asked for so long. */
  wait({ clock }: Environment, waitMs: number): void {
    this.#untilMs = clock.monotonicMs() + waitMs
  }

  /** Resolves when the server may be asked, or the source is to stop. */
  async keep({ environment, signal }: SourceContext): Promise<void> {
    const leftMs = this.#untilMs - environment.clock.monotonicMs()
    if (leftMs > 0) await sleep(environment, leftMs, signal)
  }
}
