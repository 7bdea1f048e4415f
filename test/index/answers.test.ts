import {expect, test} from 'vitest';
import {Answers} from '../../source/index/sqlite/answers.ts';
import type {SearchText} from '../../source/index/store.ts';

const answer = (bytes: number): SearchText => ({json: new Uint8Array(bytes), total: 0, more: false});

test('an answer is given again, also while it is made, until something changes', async () => {
	const answers = new Answers();
	let asked = 0;
	const ask = async () => {
		asked++;
		return answer(10);
	};
	const [first, second] = await Promise.all([answers.get('a', 1, undefined, ask), answers.get('a', 1, undefined, ask)]);
	expect(second).toBe(first);
	expect(asked).toBe(1);
	expect(await answers.get('a', 2, undefined, ask)).not.toBe(first);
	expect(asked).toBe(2);
	await answers.get('b', 2, undefined, ask);
	expect(asked).toBe(3);
});

test('a failure is not remembered', async () => {
	const answers = new Answers();
	await expect(answers.get('a', 1, undefined, async () => Promise.reject(new Error('once')))).rejects.toThrow('once');
	expect((await answers.get('a', 1, undefined, async () => answer(1))).json).toHaveLength(1);
});

test('the oldest answers go when they are many bytes', async () => {
	const answers = new Answers();
	let asked = 0;
	const ask = async () => {
		asked++;
		return answer(9 * 1024 * 1024);
	};
	await answers.get('a', 1, undefined, ask);
	await answers.get('b', 1, undefined, ask);
	expect(asked).toBe(2);
	await answers.get('b', 1, undefined, ask);
	expect(asked).toBe(2);
	await answers.get('a', 1, undefined, ask);
	expect(asked).toBe(3);
});
