import {execFileSync, spawn} from 'node:child_process';
import {once} from 'node:events';
import fs, {
	linkSync,
	mkdirSync,
	rmSync,
	symlinkSync,
	truncateSync,
	unlinkSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import path from 'node:path';
import {expect, test} from 'vitest';
import {shareName} from '../../source/share/share-folder.ts';
import {contentOf} from '../helpers/download.ts';
import {makeShare, startShares, writeTree} from '../helpers/share.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {waitFor} from '../helpers/wait-for.ts';

/** For scripts that run in processes of their own. */
const imports = [
	['EngineBus', 'core/events.ts'],
	['createHashPool', 'share/hash-pool.ts'],
	['createShares', 'share/shares.ts'],
]
	.map(
		([name, file]) => `import {${name}} from ${JSON.stringify(new URL(`../../source/${file}`, import.meta.url).href)};`,
	)
	.join('\n');

test('a first scan finds, hashes and publishes everything that is to be shared', async () => {
	const {folder, dataDir} = await makeShare('music', {
		'a.txt': 'alpha',
		empty: '',
		'live/1 – ä 日本.flac': Buffer.alloc(700_000, 3),
		'live/deep/er/x': 'x',
		'.hidden': 'no',
		'.p2p-tui/abc.part': 'no',
		'live/.git/config': 'no',
	});
	const outside = await tempFolder();
	writeTree(outside, {secret: 'no', 'sub/secret': 'no'});
	symlinkSync(path.join(outside, 'secret'), path.join(folder, 'link-out'));
	symlinkSync(path.join(outside, 'sub'), path.join(folder, 'folder-out'));
	symlinkSync('a.txt', path.join(folder, 'link-in'));
	symlinkSync('..', path.join(folder, 'live', 'loop'));
	symlinkSync('nowhere', path.join(folder, 'dangling'));
	execFileSync('mkfifo', [path.join(folder, 'pipe')]);
	const world = await startShares({dataDir, folders: [folder]});
	await world.shares.settled();
	const {catalog} = world.shares;
	expect(world.paths()).toEqual(['music/a.txt', 'music/empty', 'music/live/1 – ä 日本.flac', 'music/live/deep/er/x']);
	expect(world.hashed.sort()).toEqual(['1 – ä 日本.flac', 'a.txt', 'empty', 'x']);
	const totals = {files: 4, bytes: 700_006, hashed: 700_006};
	expect(world.shares.scan).toEqual({...totals, done: true});
	expect(world.scans.at(-1)).toEqual({...totals, done: true});
	expect(world.scans.filter(({done}) => done).length).toBe(1);
	expect(world.shares.list()).toEqual([{name: 'music', folder, ...totals, state: 'watching'}]);
	expect(catalog.browse('').entries).toEqual([{type: 'folder', path: 'music', size: 700_006, files: 4}]);
	const hashed = contentOf(Buffer.alloc(700_000, 3));
	const [found] = catalog.find(hashed.content);
	expect(found).toMatchObject({path: 'music/live/1 – ä 日本.flac', folder, size: 700_000});
	expect(found?.mtimeNs).toBe(fs.statSync(found!.file, {bigint: true}).mtimeNs);
	expect(catalog.pieceLayer(hashed.content)?.layer).toEqual(hashed.pieceLayer);
	expect(Math.abs(found!.sharedAt - Date.now())).toBeLessThan(60_000);
});

test('a second start hashes nothing, keeps epoch and version, and finds what changed meanwhile', async () => {
	const {folder, dataDir} = await makeShare('s', {a: 'a', b: 'b', 'd/c': 'c', 'gone/x': 'x', 'e/f': 'f'});
	const first = await startShares({dataDir, folders: [folder]});
	await first.shares.settled();
	const {epoch, version} = first.shares.catalog;
	await first.stop();

	const second = await startShares({dataDir, folders: [folder]});
	await second.shares.settled();
	expect(second.hashed).toEqual([]);
	expect(second.shares.catalog).toMatchObject({epoch, version, files: 5});
	await second.stop();

	fs.renameSync(path.join(folder, 'd/c'), path.join(folder, 'd/renamed'));
	fs.renameSync(path.join(folder, 'e'), path.join(folder, 'moved'));
	rmSync(path.join(folder, 'gone'), {recursive: true});
	writeTree(folder, {a: 'another a', new: 'n'});
	const third = await startShares({dataDir, folders: [folder]});
	await third.shares.settled();
	expect(third.hashed.sort()).toEqual(['a', 'new']);
	expect(third.paths()).toEqual(['s/a', 's/b', 's/d/renamed', 's/moved/f', 's/new']);
	const {changes} = third.shares.catalog.changesSince(version, 100);
	expect(changes.map(({op, path: at}) => `${op} ${at}`).sort()).toEqual([
		'add s/a',
		'add s/d/renamed',
		'add s/moved/f',
		'add s/new',
		'remove s/d/c',
		'remove s/e/f',
		'remove s/gone/x',
	]);
});

test('adds, changes, renames and removals are in the catalog within two seconds, renames without hashing', async () => {
	const {folder, dataDir} = await makeShare('s', {a: 'a', 'd/b': 'b', 'd/e/c': 'c', 'rm/1': '1', 'rm/2': '2'});
	const world = await startShares({dataDir, folders: [folder]});
	const {catalog} = world.shares;
	await world.shares.settled();
	let changes = 0;
	world.shares.onChange(() => changes++);
	world.hashed.length = 0;
	const times: Record<string, number> = {};
	const timed = async (what: string, act: () => void, ready: () => boolean) => {
		const start = Date.now();
		act();
		await waitFor(what, ready);
		times[what] = Date.now() - start;
	};
	const has = (...names: string[]) => names.every(name => world.paths().includes(`s/${name}`));

	await timed(
		'add',
		() => writeTree(folder, {new: 'new', 'x/y/z': 'z'}),
		() => has('new', 'x/y/z'),
	);
	expect(world.hashed.sort()).toEqual(['new', 'z']);
	await timed(
		'change',
		() => writeTree(folder, {a: 'other'}),
		() => catalog.find(contentOf(Buffer.from('other')).content).length > 0,
	);
	world.hashed.length = 0;
	await timed(
		'rename',
		() => {
			fs.renameSync(path.join(folder, 'd/b'), path.join(folder, 'd/b2'));
			fs.renameSync(path.join(folder, 'd/e'), path.join(folder, 'E'));
		},
		() => has('d/b2', 'E/c') && !has('d/b') && !has('d/e/c'),
	);
	expect(world.hashed).toEqual([]);
	// The moved folder is watched under its new name.
	await timed(
		'add below a moved folder',
		() => writeTree(folder, {'E/more': 'more'}),
		() => has('E/more'),
	);
	await timed(
		'remove',
		() => {
			rmSync(path.join(folder, 'rm'), {recursive: true});
			unlinkSync(path.join(folder, 'new'));
		},
		() => !has('rm/1') && !has('rm/2') && !has('new'),
	);
	await timed(
		'swap for a link',
		() => {
			unlinkSync(path.join(folder, 'a'));
			symlinkSync('/etc/passwd', path.join(folder, 'a'));
			rmSync(path.join(folder, 'x'), {recursive: true});
			symlinkSync('/etc', path.join(folder, 'x'));
		},
		() => !has('a') && !has('x/y/z'),
	);
	expect(world.paths()).toEqual(['s/E/c', 's/E/more', 's/d/b2']);
	expect(changes).toBeGreaterThan(3);
	// A busy machine may hold one of them up; not most of them.
	const sorted = Object.values(times).sort((a, b) => a - b);
	expect(sorted[Math.floor(sorted.length / 2)], JSON.stringify(times)).toBeLessThan(8000);
});

test('a file that is still being written is hashed once, when it is quiet', async () => {
	const {folder, dataDir} = await makeShare('s', {other: 'o'});
	const world = await startShares({dataDir, folders: [folder], times: {patience: 600}});
	await world.shares.settled();
	world.hashed.length = 0;
	const file = path.join(folder, 'growing');
	let text = '';
	for (let i = 0; i < 12; i++) {
		text += `line ${i}\n`;
		writeFileSync(file, text);
		await new Promise(resolve => setTimeout(resolve, 100)); // a writer with a rhythm, not a wait for something
	}
	await waitFor('it to be shared', () => world.paths().includes('s/growing'));
	expect(world.shares.catalog.find(contentOf(Buffer.from(text)).content)).toHaveLength(1);
	expect(world.hashed).toEqual(['growing']);

	// Written to again and for long: what is offered would be wrong, so it is not offered meanwhile.
	const end = Date.now() + 20_000;
	await waitFor('it to be taken back', () => {
		text += 'more\n';
		writeFileSync(file, text);
		return !world.paths().includes('s/growing') || Date.now() > end;
	});
	await waitFor('it to be shared again', () => world.paths().includes('s/growing'));
	expect(world.shares.catalog.find(contentOf(Buffer.from(text)).content)).toHaveLength(1);
});

test('a file that changes while it is hashed is hashed again, and only then shared', async () => {
	const {folder, dataDir} = await makeShare('s', {});
	const file = path.join(folder, 'large');
	writeFileSync(file, '');
	truncateSync(file, 1024 ** 3);
	utimesSync(file, 1e9, 1e9);
	const world = await startShares({dataDir, folders: [folder]});
	await waitFor('hashing to be under way', () => {
		const {bytes, hashed} = world.shares.scan;
		return hashed > 0 && hashed < bytes;
	});
	truncateSync(file, 100);
	await waitFor('the small one to be shared', () => world.shares.catalog.find(contentOf(Buffer.alloc(100)).content)[0]);
	expect(world.paths()).toEqual(['s/large']);
	expect(world.shares.catalog.bytes).toBe(100);
});

test('a served file that is not what it was is looked at again when it is touched', async () => {
	const {folder, dataDir} = await makeShare('s', {'d/a': 'aaa'});
	// Watches nothing, as on a file system that tells nothing.
	const elsewhere = await tempFolder();
	const world = await startShares({dataDir, folders: [folder], watch: (_, ...rest) => fs.watch(elsewhere, ...rest)});
	await world.shares.settled();
	writeFileSync(path.join(folder, 'd/a'), 'bbb');
	world.shares.touch('/somewhere/else');
	world.shares.touch(path.join(folder, 'd/a'));
	await waitFor('the new content', () => world.shares.catalog.find(contentOf(Buffer.from('bbb')).content)[0]);
});

test('when the system watches no more folders, changes are found by looking again', async () => {
	const {folder, dataDir} = await makeShare('s', {'a/1': '1', 'b/2': '2'});
	let calls = 0;
	const world = await startShares({
		...{dataDir, folders: [folder]},
		times: {rescanUnwatched: 300, rootCheck: 50},
		watch: (...given) => {
			if (++calls > 2) throw Object.assign(new Error('no space left on device'), {code: 'ENOSPC'});
			return fs.watch(...given);
		},
	});
	await world.shares.settled();
	expect(world.paths()).toEqual(['s/a/1', 's/b/2']);
	expect(world.logs.filter(({level, message}) => level === 'warn' && /watch/.test(message))).toHaveLength(1);
	expect(world.shares.list()[0]).toMatchObject({state: 'watching', message: expect.stringContaining('too many')});
	writeTree(folder, {'b/3': '3'});
	unlinkSync(path.join(folder, 'a/1'));
	await waitFor('the changes', () => world.paths().join() === 's/b/2,s/b/3');
});

test('a share whose folder goes away fails, and comes back with it, without hashing', async () => {
	const {folder, dataDir} = await makeShare('s', {a: 'a', 'd/b': 'b'});
	const world = await startShares({dataDir, folders: [folder], times: {rootCheck: 50}});
	await world.shares.settled();
	world.hashed.length = 0;
	fs.renameSync(folder, `${folder}.away`);
	await waitFor('the failure', () => world.shares.list()[0]?.state === 'failed' && world.shares.catalog.files === 0);
	expect(world.shares.list()[0]?.message).toContain('does not exist');
	expect(world.logs.filter(({level}) => level === 'error')).toHaveLength(1);
	fs.renameSync(`${folder}.away`, folder);
	await waitFor(
		'it to be back',
		() => world.shares.list()[0]?.state === 'watching' && world.shares.catalog.files === 2,
	);
	expect(world.hashed).toEqual([]);
	writeTree(folder, {'d/c': 'c'});
	await waitFor('it to be watched again', () => world.paths().includes('s/d/c'));
	// Another folder in its place at once.
	fs.renameSync(folder, `${folder}.away`);
	writeTree(folder, {z: 'z'});
	await waitFor('the other folder', () => world.paths().join() === 's/z');
});

test('thousands of changes at once end in the right catalog', async () => {
	const {folder, dataDir} = await makeShare('s', {});
	const world = await startShares({dataDir, folders: [folder]});
	await world.shares.settled();
	const files: Record<string, string> = {};
	for (let i = 0; i < 3000; i++) files[`d${i % 20}/f${i}`] = `content ${i}`;
	writeTree(folder, files);
	await waitFor('all files', () => world.shares.catalog.files === 3000);
	expect(world.paths()).toEqual(
		Object.keys(files)
			.map(name => `s/${name}`)
			.sort(),
	);
	for (let i = 0; i < 20; i += 2) rmSync(path.join(folder, `d${i}`), {recursive: true});
	await waitFor('half of them', () => world.shares.catalog.files === 1500);
	await waitFor('the scan to be done', () => world.shares.scan.done);
	expect(world.shares.catalog.browse('s').entries).toHaveLength(10);
});

test('shares come and go while running; a share left out at the next start is forgotten', async () => {
	const one = await makeShare('stuff', {a: 'a', 'in/side': 's'});
	const two = await makeShare('stuff', {b: 'b'});
	const {dataDir} = one;
	const world = await startShares({dataDir, folders: [one.folder]});
	expect(await world.shares.add(two.folder)).toBe('stuff (2)');
	await world.shares.settled();
	expect(world.paths()).toEqual(['stuff (2)/b', 'stuff/a', 'stuff/in/side']);
	await world.shares.remove('stuff');
	expect(world.paths()).toEqual(['stuff (2)/b']);
	await expect(world.shares.remove('stuff')).rejects.toMatchObject({code: 'not-found'});
	await expect(world.shares.rescan('nothing')).rejects.toMatchObject({code: 'not-found'});
	world.hashed.length = 0;
	await world.shares.add(one.folder);
	await world.shares.settled();
	expect(world.hashed).toEqual([]); // still known
	const {version} = world.shares.catalog;
	await world.stop();

	const next = await startShares({dataDir, folders: [two.folder]});
	await next.shares.settled();
	expect(next.paths()).toEqual(['stuff (2)/b']);
	expect(
		next.shares.catalog
			.changesSince(version, 10)
			.changes.map(({path: at}) => at)
			.sort(),
	).toEqual(['stuff/a', 'stuff/in/side']);
	await next.stop();
	await expect(next.shares.add(one.folder)).rejects.toMatchObject({code: 'cancelled'});
});

test('folders that cannot be shared are refused in words', async () => {
	const {folder, dataDir} = await makeShare('s', {file: 'f', 'sub/x': 'x'});
	const start = (folders: string[], data = dataDir) => startShares({dataDir: data, folders});
	const refused = (code: string, message: string) =>
		expect.objectContaining({code, message: expect.stringContaining(message), hint: expect.any(String)});
	await expect(start([`${folder}/nothing`])).rejects.toEqual(refused('not-found', 'does not exist'));
	await expect(start([`${folder}/file`])).rejects.toEqual(refused('usage', 'not a folder'));
	await expect(start([folder, `${folder}/sub`])).rejects.toEqual(refused('usage', `lies in ${folder}`));
	await expect(start([`${folder}/sub`, folder])).rejects.toEqual(refused('usage', 'lies in it'));
	await expect(start([folder, `${folder}/../s`])).rejects.toMatchObject({
		code: 'usage',
		message: expect.stringContaining('already'),
	});
	await expect(start([dataDir])).rejects.toEqual(refused('usage', 'private key'));
	const link = path.join(dataDir, '..', 'link');
	symlinkSync(path.join(folder, 'sub'), link);
	await expect(start([folder, link])).rejects.toEqual(refused('usage', `lies in ${folder}`));
});

test('a data folder inside a share is left out of it', async () => {
	const {folder} = await makeShare('s', {a: 'a'});
	const dataDir = path.join(folder, 'data');
	writeTree(dataDir, {'identity.key': 'private'});
	const world = await startShares({dataDir, folders: [folder]});
	await world.shares.settled();
	expect(world.paths()).toEqual(['s/a']);
	expect(world.logs.some(({message}) => message.includes('private key'))).toBe(true);
	writeTree(dataDir, {more: 'private'});
	writeTree(folder, {b: 'b'});
	await waitFor('the other file', () => world.paths().includes('s/b'));
	expect(world.paths()).toEqual(['s/a', 's/b']);
});

test('names that cannot be told to others are left out, and said', async () => {
	const {folder, dataDir} = await makeShare('s', {fine: 'f'});
	writeFileSync(Buffer.concat([Buffer.from(`${folder}/bad-`), Buffer.from([0xff, 0xfe])]), 'x');
	const world = await startShares({dataDir, folders: [folder]});
	await world.shares.settled();
	expect(world.paths()).toEqual(['s/fine']);
	expect(world.logs.some(({message}) => message.includes('not valid UTF-8'))).toBe(true);
});

test('an empty share, no share at all, and hard links', async () => {
	const {folder, dataDir} = await makeShare('s', {});
	const world = await startShares({dataDir, folders: [folder]});
	await world.shares.settled();
	expect(world.logs).toEqual([{level: 'info', message: expect.stringContaining('holds no files')}]);
	expect(world.scans.at(-1)).toEqual({files: 0, bytes: 0, hashed: 0, done: true});
	writeTree(folder, {a: 'a'});
	await waitFor('a', () => world.paths().includes('s/a'));
	linkSync(path.join(folder, 'a'), path.join(folder, 'b'));
	await waitFor('b', () => world.paths().includes('s/b'));
	expect(world.hashed).toEqual(['a']);
	await world.stop();
	const none = await startShares({dataDir, folders: []});
	await none.shares.settled();
	expect([none.shares.catalog.files, none.shares.list()]).toEqual([0, []]);
});

test('what may not be read is left out, and said', async () => {
	const {folder, dataDir} = await makeShare('s', {a: 'a', 'locked/x': 'x', secret: 's', 'shut/y': 'y'});
	// Root may read everything: then a child process does it as nobody.
	const isRoot = process.getuid?.() === 0;
	const place = path.dirname(folder);
	fs.chmodSync(place, 0o777);
	fs.chmodSync(path.join(folder, 'locked'), 0);
	fs.chmodSync(path.join(folder, 'secret'), 0);
	const script = path.join(place, 'sharer.ts');
	writeFileSync(
		script,
		`${imports}
		const bus = new EngineBus();
		const logs = [];
		bus.on('log', ({message}) => logs.push(message));
		const hashPool = createHashPool({threads: 1});
		const shares = createShares({dataDir: ${JSON.stringify(dataDir)}, folders: [${JSON.stringify(folder)}], bus, hashPool});
		await shares.start();
		await shares.settled();
		const refused = await shares.add(${JSON.stringify(path.join(folder, '../locked'))}).catch(error => error.line);
		console.log(JSON.stringify({logs, paths: [...shares.catalog.entries()].map(({path}) => path).sort(), refused}));
		await shares.stop();
		await hashPool.close();`,
	);
	mkdirSync(path.join(place, 'locked'), {mode: 0});
	const nobody = isRoot ? {uid: 65_534, gid: 65_534} : {};
	const out = execFileSync(process.execPath, [script], {encoding: 'utf8', timeout: 50_000, ...nobody});
	fs.chmodSync(path.join(folder, 'locked'), 0o700);
	const {logs, paths, refused} = JSON.parse(out) as {logs: string[]; paths: string[]; refused: string};
	expect(paths).toEqual(['s/a', 's/shut/y']);
	expect(logs.filter(message => message.includes('permission denied'))).toHaveLength(2);
	expect(refused).toMatch(/permission denied\. Give yourself the right/);
});

test('kill -9 in the middle of the first scan: the next start hashes only the rest', async () => {
	const place = await tempFolder();
	const folder = path.join(place, 's');
	const dataDir = path.join(place, 'data');
	const files: Record<string, string> = {};
	for (let i = 0; i < 4000; i++) files[`d${i % 40}/f${i}`] = `${i}`.repeat(50);
	writeTree(folder, files);
	const old = new Date(Date.now() - 60_000);
	for (const name of Object.keys(files)) utimesSync(path.join(folder, name), old, old);
	const script = path.join(place, 'sharer.ts');
	writeFileSync(
		script,
		`${imports}
		const shares = createShares({dataDir: ${JSON.stringify(dataDir)}, folders: [${JSON.stringify(folder)}],
			bus: new EngineBus(), hashPool: createHashPool({threads: 1})});
		shares.onChange(() => process.stdout.write(shares.catalog.files + '\\n'));
		await shares.start();`,
	);
	const child = spawn(process.execPath, [script], {stdio: ['ignore', 'pipe', 'inherit']});
	let published = 0;
	child.stdout.setEncoding('utf8').on('data', text => {
		published = Number(text.trim().split('\n').at(-1));
		child.kill('SIGKILL');
	});
	await once(child, 'close');
	expect(published).toBeGreaterThan(0);
	expect(published).toBeLessThan(4000);
	const world = await startShares({dataDir, folders: [folder]});
	expect(world.shares.catalog.files).toBeGreaterThan(0);
	await world.shares.settled();
	expect(world.shares.catalog.files).toBe(4000);
	expect(world.hashed.length).toBeLessThan(4000);
	expect(world.paths()).toEqual(
		Object.keys(files)
			.map(name => `s/${name}`)
			.sort(),
	);
});

test('names of shares', () => {
	expect(shareName('/a/music', [])).toBe('music');
	expect(shareName('/a/music', ['Music', 'music (2)'])).toBe('music (3)');
	expect(shareName('/', [])).toBe('root');
	expect(shareName('/a/.config', [])).toBe('config');
	expect(shareName('/a/..x:\u0007\u202ey', [])).toBe('x___y');
	expect(Buffer.byteLength(shareName(`/${'日'.repeat(85)}`, []))).toBeLessThanOrEqual(247);
});
