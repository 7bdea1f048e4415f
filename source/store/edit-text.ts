// Moving and deleting in a text field by what people see as one character.
const segmenter = new Intl.Segmenter();

/** Length of the last character before a place, 0 at the start. */
export function lengthBefore(text: string): number {
	return [...segmenter.segment(text)].at(-1)?.segment.length ?? 0;
}

/** Length of the first character of a text, 0 when it is empty. */
export function lengthAfter(text: string): number {
	return segmenter.segment(text)[Symbol.iterator]().next().value?.segment.length ?? 0;
}

/** A key that edits or moves. */
export type EditKey = 'left' | 'right' | 'home' | 'end' | 'backspace' | 'delete' | 'word';

/** The text and its cursor after a key. `behind` counts UTF-16 units right of the cursor. */
export function editText(text: string, behind: number, key: EditKey): {text: string; behind: number} {
	const at = Math.max(0, text.length - behind);
	const before = text.slice(0, at);
	const after = text.slice(at);
	switch (key) {
		case 'left':
			return {text, behind: after.length + lengthBefore(before)};
		case 'right':
			return {text, behind: after.length - lengthAfter(after)};
		case 'home':
			return {text, behind: text.length};
		case 'end':
			return {text, behind: 0};
		case 'backspace':
			return {text: before.slice(0, before.length - lengthBefore(before)) + after, behind: after.length};
		case 'word':
			return {text: before.replace(/\S*\s*$/u, '') + after, behind: after.length};
		case 'delete': {
			const rest = after.slice(lengthAfter(after));
			return {text: before + rest, behind: rest.length};
		}
	}
}
