/** An answer that is no success, thrown from wherever it is found out. */
export class DialectRefusal extends Error {
  readonly status: number;
  readonly scimType: string | null;

  constructor(status: number, detail: string, scimType: string | null = null) {
    super(detail);
    this.status = status;
    this.scimType = scimType;
  }
}
