import {expect, test} from 'vitest';
import {BufferPool} from '../../source/upload/buffer-pool.ts';

const signal = new AbortController().signal;

test('buffers are used again', () => {
	const pool = new BufferPool({bytes: 1024, max: 4, perOwner: 4, oneEach: false});
	const first = pool.tryAcquire('a')!;
	expect(first.length).toBe(1024);
	pool.release('a', first);
	expect(pool.tryAcquire('b')).toBe(first);
	pool.release('b', first, false);
	expect(pool.tryAcquire('b')).not.toBe(first);
	expect(pool.inUse).toBe(1);
});

test('one owner cannot hold all, and everybody can have one where owners are few', () => {
	const few = new BufferPool({bytes: 16, max: 3, perOwner: 2, oneEach: true});
	expect(['a', 'a', 'a', 'b', 'b', 'c'].map(owner => few.tryAcquire(owner) !== undefined)).toEqual([
		true,
		true,
		false,
		true,
		false,
		true,
	]);
	const many = new BufferPool({bytes: 16, max: 2, perOwner: 2, oneEach: false});
	expect(['a', 'b', 'c'].map(owner => many.tryAcquire(owner) !== undefined)).toEqual([true, true, false]);
});

test('who waits is served in order, past those who already have their share', async () => {
	const pool = new BufferPool({bytes: 16, max: 2, perOwner: 1, oneEach: false});
	const [a, b] = [pool.tryAcquire('a')!, pool.tryAcquire('b')!];
	const order: string[] = [];
	const wait = async (owner: string) => {
		const buffer = await pool.acquire(owner, signal);
		order.push(owner);
		return buffer;
	};
	const more = wait('a');
	const c = wait('c');
	const d = wait('d');
	expect(pool.tryAcquire('e')).toBeUndefined();
	pool.release('b', b);
	await c;
	pool.release('a', a);
	await more;
	pool.release('c', await c);
	await d;
	expect(order).toEqual(['c', 'a', 'd']);
	expect(pool.inUse).toBe(2);
});

test('who hangs up leaves the line', async () => {
	const pool = new BufferPool({bytes: 16, max: 1, perOwner: 1, oneEach: false});
	const held = pool.tryAcquire('a')!;
	const controller = new AbortController();
	const gone = pool.acquire('b', controller.signal);
	const stays = pool.acquire('c', signal);
	controller.abort(new Error('hung up'));
	await expect(gone).rejects.toThrow('hung up');
	pool.release('a', held);
	expect(await stays).toBe(held);
	await expect(pool.acquire('d', controller.signal)).rejects.toThrow('hung up');
});
