/**
 * The click aggregator as its users start it, but for two things that a test needs: it says on standard error when a commit is done, and it
 * kills itself, with SIGKILL, at a step of the commit spine. What it took to run again is told in the processor's time, which is the same whatever else
 * the machine does.
 *
 * `click-job.ts STEP COUNT [arguments of the click aggregator]`: STEP `-` never; COUNT is how many times the step is passed before. A kill
 * waits for a first commit of this process.
 */
import { parseOptions } from '../examples/01-click-aggregator/options.ts'
import { runClicks } from '../examples/01-click-aggregator/run-clicks.ts'

const [killAt, killAfter, ...args] = process.argv.slice(2)
const options = parseOptions(args)
let commits = 0
let passed = 0

if (options !== 'help') {
  await runClicks(options, {
    trace: (step) => {
      if (step === 'commit:published') {
        commits++
        process.stderr.write(`commit ${commits}\n`)
      }
      if (step === killAt && commits > 0 && passed++ >= Number(killAfter)) {
        process.stderr.write(`killed ${step}\n`)
        process.kill(process.pid, 'SIGKILL')
      }
    },
    onStarted: (app) => {
      const started = process.cpuUsage()
      app.restore$.subscribe(({ done, store, partition, records, rebuildReason }) => {
        if (done) process.stderr.write(`restored ${JSON.stringify({ store, partition, records, rebuildReason })}\n`)
      })
      void app.running.then(() => {
        const { user, system } = process.cpuUsage(started)
        process.stderr.write(`running ${Math.round((user + system) / 1000)}\n`)
      })
    }
  })
}
