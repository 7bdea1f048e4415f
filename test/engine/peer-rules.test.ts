import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import {expect, test} from 'vitest';
import {writeConfigFile} from '../../source/config/config-file.ts';
import {EngineBus} from '../../source/core/events.ts';
import {createPeerRules} from '../../source/engine/peer-rules.ts';
import {tempFolder} from '../helpers/temp-folder.ts';

const alice = 'ab'.repeat(32);
const bob = 'cd'.repeat(32);

test('who is blocked, by ID or the start of it, is refused; a running peer hears of changes; a broken file changes nothing', async () => {
	const folder = await tempFolder();
	let now = 0;
	const warnings: string[] = [];
	const bus = new EngineBus();
	bus.on('log', ({level, message}) => level === 'warn' && warnings.push(message));
	const rules = createPeerRules(folder, bus, () => now);
	const allowed = () => [rules.allow(alice), rules.allow(bob), rules.allow(undefined)];
	expect(allowed()).toEqual([true, true, true]);
	await writeConfigFile(folder, {block: [alice.slice(0, 8)]});
	now += 1000;
	expect(allowed()).toEqual([false, true, true]);
	await writeConfigFile(folder, {block: [alice, bob]});
	now += 1000;
	expect(allowed()).toEqual([false, false, true]);
	await writeFile(path.join(folder, 'config.json'), '{broken');
	now += 1000;
	expect(allowed()).toEqual([false, false, true]);
	expect(allowed()).toEqual([false, false, true]);
	expect(warnings).toEqual([expect.stringContaining('config.json')]);
	await writeFile(path.join(folder, 'config.json'), '{}');
	now += 1000;
	expect(allowed()).toEqual([true, true, true]);
});

test('a peer with wrong rules does not start', async () => {
	const folder = await tempFolder();
	await writeFile(path.join(folder, 'config.json'), '{"block":["abc"]}');
	expect(() => createPeerRules(folder, new EngineBus())).toThrow(
		expect.objectContaining({code: 'usage', message: expect.stringContaining('block')}),
	);
});
