import {expect, test} from 'vitest';
import {gatherLines} from '../../source/headless/gather-lines.ts';

test('what is told in one go is handed on together, in its order, as soon as that is over', async () => {
	const texts: string[] = [];
	const tell = gatherLines(text => texts.push(text));
	tell('one');
	tell('two');
	expect(texts).toEqual([]);
	await Promise.resolve();
	expect(texts).toEqual(['one\ntwo']);
	tell('three');
	await Promise.resolve();
	expect(texts).toEqual(['one\ntwo', 'three']);
});
