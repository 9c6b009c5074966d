/**
 * The name of a package as advisory data is keyed by it: what an ecosystem treats as one name is one key.
 *
 * PyPI: PEP 503 (https://peps.python.org/pep-0503/#normalized-names). NuGet and Packagist know no capitals. All others are
 * exact; Maven's `group:artifact` and npm's `@scope/name` stay as they are.
 * @param ecosystem of OSV, with or without its release
 */
export function advisoryName(ecosystem: string, name: string): string {
  if (ecosystem === 'PyPI') return name.toLowerCase().replace(/[-_.]+/g, '-')
  if (ecosystem === 'NuGet' || ecosystem === 'Packagist') return name.toLowerCase()
  return name
}
