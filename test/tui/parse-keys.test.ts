import fc from 'fast-check';
import {describe, expect, test} from 'vitest';
import {KeyParser, pasteText} from '../../source/tui/terminal/parse-keys.ts';

const chords = (...chunks: string[]) => {
	const parser = new KeyParser();
	return chunks
		.flatMap(chunk => parser.push(chunk))
		.concat(parser.flush())
		.map(event =>
			event.kind === 'key' ? event.chord : event.kind === 'paste' ? `paste:${event.text}` : `mouse:${event.button}`,
		);
};

describe('keys', () => {
	test.each([
		['a', ['a']],
		['ab', ['a', 'b']],
		[' ', ['space']],
		['日本', ['日', '本']],
		['🎵', ['🎵']],
		['\r', ['enter']],
		['\t', ['tab']],
		['\u007f', ['backspace']],
		['\u0003', ['ctrl+c']],
		['\u001a', ['ctrl+z']],
		['\u001b[A', ['up']],
		['\u001bOA', ['up']],
		['\u001b[1;5C', ['ctrl+right']],
		['\u001b[1;2A', ['shift+up']],
		['\u001b[5~', ['pageup']],
		['\u001b[3;5~', ['ctrl+delete']],
		['\u001b[Z', ['shift+tab']],
		['\u001b[H', ['home']],
		['\u001b[4~', ['end']],
		['\u001b[[A', ['f1']],
		['\u001bx', ['alt+x']],
		['\u001b\r', ['alt+enter']],
		['\u001b', ['escape']],
		['\u001b\u001b', ['escape', 'escape']],
		['\u001b\u001b[A', ['escape', 'up']],
		['\u001b[I', []],
		['\u001b[?62;22c', []],
		['\u001b[12;40R', []],
		['\u001b]11;rgb:0000/0000/0000\u001b\\', []],
		['\u001bP>|tmux 3.4\u001b\\q', ['q']],
		['\u001b[<64;10;5M', ['mouse:64']],
		['\u001b[97;5u', ['ctrl+a']],
		['\u001b[13;2u', ['shift+enter']],
	])('%j', (input, expected) => {
		expect(chords(input)).toEqual(expected);
	});

	test('a sequence in parts, wherever it is cut', () => {
		const whole = 'x\u001b[1;5Cy\u001b[200~two\nlines\u001b[201~\u001b[5~é\u001bOB';
		const expected = ['x', 'ctrl+right', 'y', 'paste:two\nlines', 'pageup', 'é', 'down'];
		for (let at = 0; at <= whole.length; at++) expect(chords(whole.slice(0, at), whole.slice(at))).toEqual(expected);
	});

	test('a paste is one event, whatever is in it', () => {
		expect(chords('\u001b[200~q\u001b[A\u0003 \r\u001b[201~')).toEqual(['paste:q\u001b[A\u0003 \r']);
	});

	test('a paste without an end does not swallow the keyboard for ever', () => {
		const parser = new KeyParser();
		expect(parser.push('\u001b[200~')).toEqual([]);
		const events = parser.push('x'.repeat(70_000));
		expect(events).toHaveLength(1);
		expect(parser.push('a')).toEqual([{kind: 'key', chord: 'a', text: 'a'}]);
	});

	test('no input throws, and after a flush nothing is left', () => {
		fc.assert(
			fc.property(
				fc.array(
					fc.string({
						unit: fc.constantFrom(
							'\u001b',
							'[',
							'O',
							']',
							'<',
							'0',
							';',
							'~',
							'A',
							'm',
							'\u0007',
							'\\',
							'é',
							'\u001b[200~',
						),
					}),
				),
				chunks => {
					const parser = new KeyParser();
					for (const chunk of chunks) parser.push(chunk);
					parser.flush();
					// What follows an unfinished paste or an answer of the terminal belongs to it.
					parser.push('\u001b[201~\u0007');
					parser.flush();
					expect(parser.push('k').at(-1)).toMatchObject({chord: 'k'});
				},
			),
		);
	});
});

test('a paste becomes one line without control characters', () => {
	expect(pasteText(' two\r\nlines\tand\u0007 bell\u001b[31m ')).toBe('two lines and bell[31m');
});
