import {afterEach, beforeEach, expect, test, vi} from 'vitest';
import {Answers} from '../../source/index/sqlite/answers.ts';
import type {SearchText} from '../../source/index/store.ts';

const answer = (bytes: number): SearchText => ({json: new Uint8Array(bytes), total: 0, more: false});

beforeEach(() => void vi.useFakeTimers({toFake: ['performance']}));
afterEach(() => void vi.useRealTimers());

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

test('an answer that is given again has the same bytes, and is shared with nobody', async () => {
	const answers = new Answers();
	const ask = async () => ({json: new Uint8Array([1, 2, 3]), total: 7, more: true});
	const changed = await answers.get('a', 1, undefined, ask);
	await answers.get('b', 1, undefined, async () => answer(100));
	changed.json.fill(9);
	const never = () => Promise.reject(new Error('it is there already'));
	for (let time = 0; time < 2; time++) {
		const again = await answers.get('a', 1, undefined, never);
		expect([...again.json]).toEqual([1, 2, 3]);
		expect({total: again.total, more: again.more}).toEqual({total: 7, more: true});
		again.json.fill(9);
	}
});

test('the oldest answers go when they are many bytes, and one that is too large at once', async () => {
	const answers = new Answers();
	const asked: string[] = [];
	const get = (key: string, bytes: number) =>
		answers.get(key, 1, undefined, async () => {
			asked.push(key);
			return answer(bytes);
		});
	const large = 200 * 1024;
	await get('first', large);
	await get('first', large);
	expect(asked).toEqual(['first']);
	for (let number = 0; number < 90; number++) await get(String(number), large);
	await get('first', large);
	expect(asked.filter(key => key === 'first')).toHaveLength(2);
	await get('whole', 9 * 1024 * 1024);
	await get('whole', 9 * 1024 * 1024);
	expect(asked.filter(key => key === 'whole')).toHaveLength(2);
});

test('an answer is forgotten after two seconds', async () => {
	const answers = new Answers();
	let asked = 0;
	const ask = async () => {
		asked++;
		return answer(10);
	};
	await answers.get('a', 1, undefined, ask);
	vi.advanceTimersByTime(1999);
	await answers.get('a', 1, undefined, ask);
	expect(asked).toBe(1);
	vi.advanceTimersByTime(1);
	await answers.get('a', 1, undefined, ask);
	expect(asked).toBe(2);
});
