/** What a converter of another product's configuration gives. */
import type { AttributeMappingResource } from '../api/attribute-mapping.ts';
import type { CustomAttributeResource } from '../api/custom-attribute.ts';
import type { DirectorySyncResource } from '../api/directory-sync.ts';

export interface Conversion {
  readonly directorySync: DirectorySyncResource;
  readonly mappings: readonly AttributeMappingResource[];
  readonly customAttributes: readonly CustomAttributeResource[];
  readonly notes: readonly ConversionNote[];
}

export interface ConversionNote {
  /** `lost`: it is not in the result. `changed`: it is, and means something else, or is to be looked at. */
  readonly kind: 'lost' | 'changed';
  /** What it is about, as the other product calls it: `User title`. */
  readonly about: string;
  readonly message: string;
}
