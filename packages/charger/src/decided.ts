/** What was decided and written down: how it is answered, and what is to be done once it was. */
export interface Decided<Status> {
  readonly status: Status;
  /** It counts from now on. */
  takeEffect(): void;
}
