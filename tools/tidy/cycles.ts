import { resolveImport } from './layers.ts'
import type { Finding, SourceFile } from './source-file.ts'

/** Finds cycles of value imports: sets of files of which each needs the others to be evaluated first (Tarjan's algorithm). */
export function checkCycles(files: readonly SourceFile[]): Finding[] {
  const known = new Set(files.map((file) => file.path))
  const edges = new Map(
    files.map((file) => [
      file.path,
      file.imports
        .filter((imported) => !imported.typeOnly && imported.specifier.startsWith('.'))
        .map((imported) => resolveImport(file.path, imported.specifier))
        .filter((target) => known.has(target))
    ])
  )
  return stronglyConnected(edges)
    .filter((component) => component.length > 1)
    .map((component) => ({ path: component[0], line: 1, message: `import cycle: ${component.join(' -> ')}` }))
}

function stronglyConnected(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const onStack = new Set<string>()
  const components: string[][] = []
  const visit = (node: string): void => {
    index.set(node, index.size)
    low.set(node, index.get(node) ?? 0)
    stack.push(node)
    onStack.add(node)
    for (const next of edges.get(node) ?? []) {
      if (!index.has(next)) visit(next)
      if (onStack.has(next)) low.set(node, Math.min(low.get(node) ?? 0, low.get(next) ?? 0))
    }
    if (low.get(node) !== index.get(node)) return
    const component = stack.splice(stack.indexOf(node))
    for (const member of component) onStack.delete(member)
    components.push(component.reverse())
  }
  for (const node of edges.keys()) if (!index.has(node)) visit(node)
  return components
}
