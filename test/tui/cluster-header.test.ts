// A server of a cluster says on its dashboard how whole its index is.
import {expect, test} from 'vitest';
import type {ServerSnapshot} from '../../source/engine/messages.ts';
import {fixtureServer} from '../helpers/tui-fixture-engine.ts';
import {drawnText, storeWith, widths} from '../helpers/tui-render.ts';

const top = (columns: number, cluster: ServerSnapshot['cluster']) => {
	const rows = drawnText(storeWith(columns, 24, {...(fixtureServer().snapshot() as ServerSnapshot), cluster}));
	expect(widths(rows).every(width => width <= columns)).toBe(true);
	return rows[0] ?? '';
};

test('the header says how many servers there are, and what is wrong at every width', () => {
	expect(top(100, {state: 'whole', servers: 3})).toContain('1 of 3 servers');
	expect(top(100, undefined)).not.toContain('servers');
	for (const columns of [60, 80, 120]) {
		expect(top(columns, {state: 'catching-up', servers: 2})).toContain('catching up');
		expect(top(columns, {state: 'stale', servers: 2})).toContain('cluster lost');
	}
});
