import { documentedShare } from './documentation.ts'
import { isTest } from './layers.ts'
import { lineAt, type SourceFile } from './source-file.ts'
import { type SyntaxNode, walk } from './walk.ts'

/** One row of the yardstick. */
export interface Measure {
  readonly name: string
  readonly value: string
  readonly target: string
}

interface FunctionSize {
  readonly where: string
  readonly lines: number
  readonly parameters: number
}

interface ClassSize {
  readonly where: string
  readonly methods: number
  readonly fields: number
}

/** Where the sources of the packages stand. A mirror, not a limit: a file past it asks for a better cut, or for a sentence why not. */
export function measure(files: readonly SourceFile[]): Measure[] {
  const sources = files.filter((file) => file.path.startsWith('packages/') && !isTest(file.path))
  const tests = files.filter((file) => isTest(file.path) || /^test\//.test(file.path))
  const sizes = sources.map((file) => ({ path: file.path, lines: file.text.split('\n').length - 1 }))
  const functions = sources.flatMap(functionsOf)
  const classes = sources.flatMap(classesOf)
  const lines = sum(sizes.map((size) => size.lines))
  const escapes = countEscapes(sources)
  const perThousand = (count: number) => ((count / lines) * 1000).toFixed(1)
  const documented = documentedShare(files)
  return [
    row('source files / lines', `${sources.length} / ${lines}`, ''),
    row('file lines p50 / p90', `${quantile(sizes, 0.5)} / ${quantile(sizes, 0.9)}`, '110 / 260'),
    row(
      'file lines max',
      greatest(
        sizes,
        (size) => size.lines,
        (size) => size.path
      ),
      '400'
    ),
    row(
      'function lines p90 / max',
      `${quantile(functions, 0.9)} / ${greatest(
        functions,
        (one) => one.lines,
        (one) => one.where
      )}`,
      '40 / 70'
    ),
    row('functions with more than 3 parameters', `${functions.filter((one) => one.parameters > 3).length}`, '0'),
    row(
      'class methods max',
      greatest(
        classes,
        (one) => one.methods,
        (one) => one.where
      ),
      '12'
    ),
    row(
      'class fields max',
      greatest(
        classes,
        (one) => one.fields,
        (one) => one.where
      ),
      '10'
    ),
    row(
      'any / ! / as per 1,000 lines',
      `${perThousand(escapes.any)} / ${perThousand(escapes.nonNull)} / ${perThousand(escapes.as)}`,
      '2 / 0.5 / 2'
    ),
    row('exports without documentation', `${documented.undocumented} of ${documented.exported}`, '0'),
    row(
      'test lines : source lines',
      (sum(tests.map((file) => file.text.split('\n').length)) / lines).toFixed(1),
      '1 to 2.5'
    )
  ]
}

function row(name: string, value: string, target: string): Measure {
  return { name, value, target }
}

function functionsOf(file: SourceFile): FunctionSize[] {
  const found: FunctionSize[] = []
  walk(file.program, (node) => {
    if (!('params' in node) || !('body' in node) || !Array.isArray(node.params)) return
    if (!/Function/.test(node.type)) return
    const line = lineAt(file.text, node.start)
    found.push({ where: `${file.path}:${line}`, lines: linesOf(file, node), parameters: node.params.length })
  })
  return found
}

function classesOf(file: SourceFile): ClassSize[] {
  const found: ClassSize[] = []
  walk(file.program, (node) => {
    if (node.type !== 'ClassDeclaration') return
    const members: readonly SyntaxNode[] = node.body.body
    const where = `${file.path}:${lineAt(file.text, node.start)}`
    const methods = members.filter((member) => member.type === 'MethodDefinition').length
    const fields = members.filter((member) => member.type === 'PropertyDefinition').length
    found.push({ where, methods, fields })
  })
  return found
}

function countEscapes(files: readonly SourceFile[]): { any: number; nonNull: number; as: number } {
  const count = { any: 0, nonNull: 0, as: 0 }
  for (const file of files) {
    walk(file.program, (node) => {
      if (node.type === 'TSAnyKeyword') count.any++
      else if (node.type === 'TSNonNullExpression') count.nonNull++
      else if (node.type === 'TSAsExpression' && file.text.slice(node.end - 5, node.end) !== 'const') count.as++
    })
  }
  return count
}

function linesOf(file: SourceFile, node: SyntaxNode): number {
  return file.text.slice(node.start, node.end).split('\n').length
}

function quantile(all: readonly { readonly lines: number }[], share: number): number {
  const sorted = all.map((one) => one.lines).sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

function greatest<T>(all: readonly T[], size: (one: T) => number, where: (one: T) => string): string {
  const first = all[0]
  if (first === undefined) return '0'
  const most = all.reduce((best, one) => (size(one) > size(best) ? one : best), first)
  return `${size(most)} (${where(most)})`
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
