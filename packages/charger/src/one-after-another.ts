/** Has things done one after the other, in the order of the calls; one that fails does not keep the next from being done. */
export function oneAfterAnother(): <T>(act: () => Promise<T>) => Promise<T> {
  let latest: Promise<unknown> = Promise.resolve();
  return (act) => {
    const turn = latest.then(act);
    latest = turn.catch(() => {});
    return turn;
  };
}
