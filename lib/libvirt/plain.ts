// The addon's plain data, made anew: objects and lists made natively belong to the main realm, and fail `instanceof` in others.

/** A copy whose objects and lists are of this realm. */
export const copy = (value: unknown): unknown => {
  if (Array.isArray(value)) return Array.from(value, copy);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copy(inner)]));
};
