// Where two texts differ, by the longest common subsequence of their characters.
export interface Part {
  text: string;
  other: boolean;
}

/** `text` in parts: those that `beside` has too, and those that it has not. */
export function differs(text: string, beside: string): Part[] {
  const [a, b] = [[...text], [...beside]];
  const length = a.map(() => new Uint16Array(b.length + 1));
  length.push(new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      length[i]![j] = a[i] === b[j] ? length[i + 1]![j + 1]! + 1 : Math.max(length[i + 1]![j]!, length[i]![j + 1]!);
    }
  }
  const parts: Part[] = [];
  const add = (text: string, other: boolean) => {
    const last = parts.at(-1);
    if (last?.other === other) last.text += text;
    else parts.push({ text, other });
  };
  let j = 0;
  for (let i = 0; i < a.length; i++) {
    while (j < b.length && a[i] !== b[j] && length[i]![j + 1]! >= length[i + 1]![j]! && length[i]![j + 1]! === length[i]![j]!) j++;
    if (j < b.length && a[i] === b[j]) {
      add(a[i]!, false);
      j++;
    } else add(a[i]!, true);
  }
  return parts;
}
