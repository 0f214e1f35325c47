import type { CompiledMapping } from './compile.ts';
import { type BoundName, bindName, type KnownAttributes } from './names.ts';
import { bindProperty } from './user-properties.ts';

/** Reads names of a person through the mapping's rules; each name is bound once. */
export class NameReader {
  readonly #bound = new Map<string, BoundName>();
  readonly #properties = new Map<string, BoundName>();
  #hidden: ReadonlySet<string> | null = null;
  readonly #mapping: CompiledMapping;
  readonly #known: KnownAttributes;

  constructor(mapping: CompiledMapping, known: KnownAttributes) {
    this.#mapping = mapping;
    this.#known = known;
  }

  bind(name: string): BoundName {
    const known = this.#bound.get(name);
    if (known !== undefined) return known;
    const bound = bindName(name, this.#mapping.names, this.#known);
    this.#bound.set(name, bound);
    return bound;
  }

  /** The name means a value that is written and not shown. */
  isHidden(name: string): boolean {
    this.#hidden ??= new Set(this.#mapping.entries.filter(({ redacted }) => redacted).flatMap(listNames));
    return this.#hidden.has(name.toLowerCase());
  }

  /** By Entra's name of a property of users. */
  bindProperty(name: string): BoundName {
    const known = this.#properties.get(name);
    if (known !== undefined) return known;
    const bound = bindProperty(name, this.#mapping.names, this.#known);
    this.#properties.set(name, bound);
    return bound;
  }
}

/** By which conditions and other entries may ask for what an entry gives; in lower case. */
function listNames({ path, target, custom }: CompiledMapping['entries'][number]): readonly string[] {
  const ofCustom = custom === null ? [] : [custom.name, `custom:${custom.name}`];
  const names = [...(path === null ? [] : [`desired:${path}`]), `desired:${target}`, ...ofCustom];
  return names.map((name) => name.toLowerCase());
}
