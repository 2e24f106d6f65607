import { isTest } from './layers.ts'
import { type Finding, lineAt, type SourceFile } from './source-file.ts'
import { type SyntaxNode, walk } from './walk.ts'

/** Files that touch Node's clock, files, network, threads and random source: the edges of the injected environment. */
const EDGES = [
  /^packages\/log\/src\/environment\//,
  /^packages\/streams\/src\/state\/level-/,
  /^packages\/connectors\/src\/sqlite\/thread/
]
const BANNED_MODULES = new Map([
  ['node:fs', 'environment.files'],
  ['node:fs/promises', 'environment.files'],
  ['node:net', 'environment.network'],
  ['node:crypto', 'environment.random'],
  ['node:timers', 'environment.timers'],
  ['node:timers/promises', 'environment.timers'],
  ['node:worker_threads', 'the worker edge']
])
const BANNED_GLOBALS = new Map([
  ['setTimeout', 'environment.timers.set'],
  ['setInterval', 'environment.timers.set'],
  ['setImmediate', 'environment.timers.soon'],
  ['queueMicrotask', 'a promise'],
  ['performance', 'environment.clock.monotonicMs']
])
const BANNED_MEMBERS = new Map([
  ['Date.now', 'environment.clock.nowMs'],
  ['Math.random', 'environment.random'],
  ['process.nextTick', 'environment.timers.soon'],
  ['process.hrtime', 'environment.clock.monotonicMs'],
  ['crypto.randomUUID', 'environment.random']
])

/** Finds what makes a run depend on anything but its seed, and errors that say nothing. */
export function checkBanned(files: readonly SourceFile[]): Finding[] {
  return files.filter((file) => file.path.startsWith('packages/')).flatMap((file) => [...bannedIn(file)])
}

function* bannedIn(file: SourceFile): Generator<Finding> {
  const found: Finding[] = []
  const report = (position: number, message: string) =>
    found.push({ path: file.path, line: lineAt(file.text, position), message })
  walk(file.program, (node) => {
    if (isBareError(node)) report(node.start, 'bare Error: throw a class derived from MillraceError')
    if (isTest(file.path) || EDGES.some((edge) => edge.test(file.path))) return
    const replacement = bannedCall(node)
    if (replacement) report(node.start, `${file.text.slice(node.start, node.end).slice(0, 40)}: use ${replacement}`)
  })
  yield* found
  if (isTest(file.path) || EDGES.some((edge) => edge.test(file.path))) return
  for (const imported of file.imports) {
    const replacement = BANNED_MODULES.get(imported.specifier)
    if (replacement && !imported.typeOnly) {
      yield { path: file.path, line: imported.line, message: `${imported.specifier}: use ${replacement}` }
    }
  }
}

function isBareError(node: SyntaxNode): boolean {
  return (
    (node.type === 'NewExpression' || node.type === 'CallExpression') &&
    node.callee.type === 'Identifier' &&
    node.callee.name === 'Error'
  )
}

function bannedCall(node: SyntaxNode): string | undefined {
  if (node.type === 'CallExpression' && node.callee.type === 'Identifier') return BANNED_GLOBALS.get(node.callee.name)
  if (node.type === 'NewExpression' && node.callee.type === 'Identifier') {
    return node.callee.name === 'Date' && node.arguments.length === 0 ? 'environment.clock.nowMs' : undefined
  }
  if (node.type !== 'MemberExpression' || node.object.type !== 'Identifier') return undefined
  if (node.object.name === 'performance') return BANNED_GLOBALS.get('performance')
  return node.property.type === 'Identifier'
    ? BANNED_MEMBERS.get(`${node.object.name}.${node.property.name}`)
    : undefined
}
