// Limits as a screen or a program sets them while the peer runs.
import path from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {createPeer} from '../../source/engine/create-peer.ts';
import type {LimitsRequest} from '../../source/engine/messages.ts';
import {tempFolder} from '../helpers/temp-folder.ts';

async function peerCommands() {
	const root = await tempFolder();
	const {handle} = await createPeer({
		...{dataDir: path.join(root, 'data'), downloads: path.join(root, 'downloads'), host: '127.0.0.1', port: 0},
		...{name: 'alice', servers: [], shares: [], prefix: '', announce: false},
	});
	onTestFinished(() => handle.stop());
	return handle.commands;
}

test('what is out of range is refused with what is wrong, and nothing of the request is set', async () => {
	const commands = await peerCommands();
	const wrong: [LimitsRequest, string][] = [
		[{down: 999}, 'A limit of 999 bytes per second is too low. The least is 1K'],
		[{up: -1}, 'Not a limit: -1'],
		[{down: Number.NaN}, 'Not a limit: NaN'],
		[{up: Number.POSITIVE_INFINITY}, 'Not a limit: Infinity'],
		[{up: 1e30}, 'Not a limit: 1e+30'],
		[{down: '5 apples' as unknown as number}, 'Not a limit: 5 apples'],
		[{running: 0}, 'Not a number of downloads at once from 1 to 100: 0'],
		[{running: 101}, 'Not a number of downloads at once from 1 to 100: 101'],
		[{running: 2.5}, 'Not a number of downloads at once from 1 to 100: 2.5'],
		[{slots: 501}, 'Not a number of slots from 1 to 500: 501'],
		[{down: 5000, slots: -3}, 'Not a number of slots from 1 to 500: -3'],
	];
	for (const [request, line] of wrong) {
		const error = await commands.setLimits(request).catch((error: unknown) => error);
		expect(error).toMatchObject({code: 'usage', line: expect.stringContaining(line)});
	}
	for (const right of [{down: null, up: 0}, {down: 1000, up: 1e11, running: 100, slots: 500}, {}])
		await commands.setLimits(right);
});

test('a place in the queue is a whole number away', async () => {
	const commands = await peerCommands();
	for (const by of [Number.NaN, 0.5, Number.POSITIVE_INFINITY])
		await expect(commands.move({key: 'down:d1', by})).rejects.toMatchObject({code: 'usage'});
	await expect(commands.move({key: 'down:d1', by: 1})).rejects.toMatchObject({code: 'not-found'});
	await expect(commands.move({key: 'up:1', by: 1})).rejects.toMatchObject({code: 'usage'});
});
