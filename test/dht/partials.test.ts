// Parts of a file that is still downloaded: the table names who has them, beside those who have it whole.
import path from 'node:path';
import {expect, onTestFinished, test} from 'vitest';
import {startDhtNode} from '../helpers/dht-node.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {waitFor} from '../helpers/wait-for.ts';

const content = 'ab'.repeat(32);
const epoch = '0'.repeat(32);
const catalogOf = (files: Array<{path: string; size: number}>) => {
	const changes = files.map(file => ({op: 'add' as const, content, ...file}));
	return {
		...{epoch, version: files.length, files: files.length, bytes: 0},
		changesSince: (from: number) => ({epoch, changes: changes.slice(from), to: files.length, last: true}),
	};
};

test('who downloads a file is a source of it until it says otherwise; under its words are only those who share it', async () => {
	const ports: number[] = [];
	const start = async (name: string, files: Array<{path: string; size: number}> = []) => {
		const dataDir = path.join(await tempFolder(), name);
		const node = await startDhtNode({name, dataDir, catalog: catalogOf(files), bootstrap: ports});
		onTestFinished(() => node.stop());
		ports.push(node.dht.port);
		return node;
	};
	await start('alice', [{path: 'films/harbour at night.mkv', size: 5000}]);
	const bob = await start('bob');
	const mallory = await start('mallory');
	const carol = await start('carol');
	const sources = async () => {
		try {
			const {name, size, sources} = await carol.dht.sources(content);
			return {name, size, sources: sources.map(each => [each.name, each.path, each.partial ?? false])};
		} catch {
			return undefined;
		}
	};
	const told = (names: string) =>
		waitFor(`${names} as sources`, async () => {
			const found = await sources();
			return found?.sources.map(([name]) => name).join() === names ? found : undefined;
		});
	await told('alice');

	bob.dht.setPartials([{content, size: 5000}]);
	// Who names another size than those who have it whole is wrong about what it has.
	mallory.dht.setPartials([{content, size: 777}]);
	expect(await told('alice,bob')).toEqual({
		...{name: 'harbour at night.mkv', size: 5000},
		sources: [
			['alice', 'films/harbour at night.mkv', false],
			['bob', '', true],
		],
	});
	for (const query of ['harbour', content, 'size:>1']) {
		const {hits} = await carol.dht.search(query);
		expect(hits.flatMap(hit => hit.sources.map(({name}) => name))).toEqual(query === content ? [] : ['alice']);
	}

	bob.dht.setPartials([]);
	await told('alice');
});
