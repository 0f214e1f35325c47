/** What is wrong with a resource beyond its schema, with the place that the CLI turns into file, line and column. */
export interface MappingProblem {
  readonly severity: 'error' | 'warning';
  readonly kind: 'DirectorySync' | 'AttributeMapping' | 'TeamRule' | 'CustomAttribute';
  readonly name: string;
  /** JSON pointer into the resource: `/spec/attributes/3/expression`. */
  readonly pointer: string;
  readonly message: string;
}
