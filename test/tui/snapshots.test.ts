// The look of every screen, against committed text. Clock, IDs and ports come from the fixture, never from the machine.
// After a wanted change: npx vitest run test/tui/snapshots.test.ts -u, and look at the difference.
import {afterAll, beforeAll, describe, expect, test, vi} from 'vitest';
import {fixedTime} from '../helpers/tui-fixture-data.ts';
import {drawnText} from '../helpers/tui-render.ts';
import {screens} from '../helpers/tui-screens.ts';

beforeAll(() => {
	vi.useFakeTimers({now: fixedTime, toFake: ['Date']});
	vi.stubEnv('TZ', 'UTC');
});
afterAll(() => {
	vi.useRealTimers();
	vi.unstubAllEnvs();
});

describe.each([
	[80, 24],
	[120, 36],
])('%ix%i', (columns, rows) => {
	test.each(Object.keys(screens))('%s', async name => {
		const text = `${drawnText(screens[name]!(columns, rows))
			.map(line => line.trimEnd())
			.join('\n')}\n`;
		await expect(text).toMatchFileSnapshot(`./snapshots/${name}-${columns}x${rows}.txt`);
	});
});

test('in ASCII it says the same', async () => {
	const text = `${drawnText(screens.results!(80, 24), {ascii: true, letters: 'ascii'})
		.map(line => line.trimEnd())
		.join('\n')}\n`;
	await expect(text).toMatchFileSnapshot('./snapshots/search-ascii-80x24.txt');
});
