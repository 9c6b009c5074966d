/** What core metadata says of a license: PEP 639's expression, free text, or trove classifiers. */
export interface PythonLicenses {
  expression: string
  license: string
  readonly classifiers: string[]
}

/**
 * Trove classifiers that mean one license of the SPDX list (pypi.org/classifiers), without `License :: OSI Approved :: `. `BSD
 * License`, `Apache Software License` and their like name several (PEP 639, "Mapping License Classifiers to SPDX Identifiers").
 */
const classified = new Map([
  ['BSD Zero Clause License', '0BSD'],
  ['Boost Software License 1.0 (BSL-1.0)', 'BSL-1.0'],
  ['CC0 1.0 Universal (CC0 1.0) Public Domain Dedication', 'CC0-1.0'],
  ['Eclipse Public License 1.0 (EPL-1.0)', 'EPL-1.0'],
  ['Eclipse Public License 2.0 (EPL-2.0)', 'EPL-2.0'],
  ['European Union Public Licence 1.1 (EUPL 1.1)', 'EUPL-1.1'],
  ['European Union Public Licence 1.2 (EUPL 1.2)', 'EUPL-1.2'],
  ['GNU Affero General Public License v3', 'AGPL-3.0-only'],
  ['GNU Affero General Public License v3 or later (AGPLv3+)', 'AGPL-3.0-or-later'],
  ['GNU General Public License v2 (GPLv2)', 'GPL-2.0-only'],
  ['GNU General Public License v2 or later (GPLv2+)', 'GPL-2.0-or-later'],
  ['GNU General Public License v3 (GPLv3)', 'GPL-3.0-only'],
  ['GNU General Public License v3 or later (GPLv3+)', 'GPL-3.0-or-later'],
  ['GNU Lesser General Public License v2 (LGPLv2)', 'LGPL-2.0-only'],
  ['GNU Lesser General Public License v2 or later (LGPLv2+)', 'LGPL-2.0-or-later'],
  ['GNU Lesser General Public License v3 (LGPLv3)', 'LGPL-3.0-only'],
  ['GNU Lesser General Public License v3 or later (LGPLv3+)', 'LGPL-3.0-or-later'],
  ['Historical Permission Notice and Disclaimer (HPND)', 'HPND'],
  ['ISC License (ISCL)', 'ISC'],
  ['MIT License', 'MIT'],
  ['MIT No Attribution License (MIT-0)', 'MIT-0'],
  ['Mozilla Public License 1.1 (MPL 1.1)', 'MPL-1.1'],
  ['Mozilla Public License 2.0 (MPL 2.0)', 'MPL-2.0'],
  ['Mulan Permissive Software License v2 (MulanPSL-2.0)', 'MulanPSL-2.0'],
  ['Python Software Foundation License', 'PSF-2.0'],
  ['The Unlicense (Unlicense)', 'Unlicense'],
  ['Universal Permissive License (UPL)', 'UPL-1.0'],
  ['W3C License', 'W3C'],
  ['zlib/libpng License', 'Zlib'],
])

/** A longer value of `License` is a license's text, or a sentence about several. */
const maxNameLength = 100

/**
 * The names that say most: the expression; else classifiers that are exact; else the free text; else classifiers. Free text
 * and classifiers mean the same license, so that only one of them counts.
 */
export function licensesOfPython({ expression, license, classifiers }: PythonLicenses): string[] {
  if (expression !== '') return [expression]
  const names = classifiers
    .slice(0, 50)
    .map((classifier) => classifier.replace(/^License(?: :: OSI Approved)?(?: :: |$)/, ''))
  const exact = names.flatMap((name) => classified.get(name) ?? [])
  if (exact.length > 0 && exact.length === names.filter((name) => name !== '').length) return exact
  if (license !== '' && license.length <= maxNameLength && license !== 'UNKNOWN') return [license]
  return names.filter((name) => name !== '').map((name) => classified.get(name) ?? name)
}
