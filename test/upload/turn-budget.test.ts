import {setImmediate as nextTurn} from 'node:timers/promises';
import {expect, test} from 'vitest';
import {TurnBudget} from '../../source/upload/turn-budget.ts';

test('gives so much in a turn of the event loop, in order, and the rest in the next ones', async () => {
	const budget = new TurnBudget(100);
	const given: number[] = [];
	const take = (number: number) => {
		const turn = budget.take(40);
		if (turn) void turn.then(() => given.push(number));
		else given.push(number);
	};
	for (let number = 1; number <= 8; number++) take(number);
	expect(given).toEqual([1, 2, 3]);
	await nextTurn();
	expect(given).toEqual([1, 2, 3, 4, 5, 6]);
	// Who comes now is behind those who wait.
	take(9);
	await nextTurn();
	expect(given).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('more than a whole turn’s worth goes all the same', async () => {
	const budget = new TurnBudget(10);
	expect(budget.take(1000)).toBeUndefined();
	await budget.take(1000);
	await budget.take(1000);
});
