import {describe, expect, test} from 'vitest';
import {type EditKey, editText} from '../../source/store/edit-text.ts';

/** The text with a bar for the cursor after some keys. */
function after(text: string, ...keys: EditKey[]): string {
	let state = {text, behind: 0};
	for (const key of keys) state = editText(state.text, state.behind, key);
	const at = state.text.length - state.behind;
	return `${state.text.slice(0, at)}|${state.text.slice(at)}`;
}

describe('text field', () => {
	test.each<[string, EditKey[], string]>([
		['abc', ['left'], 'ab|c'],
		['abc', ['left', 'left', 'right'], 'ab|c'],
		['abc', ['home', 'left'], '|abc'],
		['abc', ['home', 'end', 'right'], 'abc|'],
		['abc', ['left', 'backspace'], 'a|c'],
		['abc', ['home', 'backspace'], '|abc'],
		['abc', ['home', 'delete'], '|bc'],
		['abc', ['delete'], 'abc|'],
		['one two  three', ['word'], 'one two  |'],
		['one two  three', ['word', 'word'], 'one |'],
		['a👨‍👩‍👧b', ['left', 'backspace'], 'a|b'],
		['n\u0303o', ['home', 'right'], 'n\u0303|o'],
		['', ['left', 'right', 'delete', 'backspace', 'word'], '|'],
	])('%s with %j is %s', (text, keys, result) => {
		expect(after(text, ...keys)).toBe(result);
	});
});
