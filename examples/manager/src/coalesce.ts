// Events come in bursts: a snapshot writes half a dozen records. One look at the guest during them and one after is enough.

/** Runs `work` for a key, at most once at a time; calls that come meanwhile lead to one more run together. */
export function coalesced<Subject>(
  work: (key: string, subject: Subject) => Promise<void>,
): (key: string, subject: Subject) => Promise<void> {
  const running = new Map<string, { again: Subject | undefined; end: Promise<void> }>();
  const run = async (key: string, first: Subject): Promise<void> => {
    for (let subject: Subject | undefined = first; subject !== undefined; ) {
      await work(key, subject);
      const entry = running.get(key);
      subject = entry?.again;
      if (entry) entry.again = undefined;
    }
  };
  return (key, subject) => {
    const entry = running.get(key);
    if (entry) {
      entry.again = subject;
      return entry.end;
    }
    // Deferred: the entry must stand before the work begins.
    const end = Promise.resolve()
      .then(() => run(key, subject))
      .finally(() => running.delete(key));
    running.set(key, { again: undefined, end });
    return end;
  };
}
