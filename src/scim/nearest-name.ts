/**
 * The candidate that a person most likely meant, or null when none is near (more than a third of the letters differ).
 * Without regard to case.
 */
export function computeNearestName(name: string, candidates: readonly string[]): string | null {
  let nearest: string | null = null;
  let least = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = computeEditDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

/** Letters to add, remove, change or swap with their neighbour (the optimal string alignment distance). */
function computeEditDistance(left: string, right: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const changed = (last[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      const least = Math.min(changed, (last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1);
      const isSwapped = left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      current.push(isSwapped ? Math.min(least, (beforeLast[column - 2] ?? least) + 1) : least);
    }
    beforeLast = last;
    last = current;
  }
  return last[right.length] ?? 0;
}
