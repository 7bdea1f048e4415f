// Identity, trust, discovery and sharing rules, with the built program as people use it.
import {randomInt} from 'node:crypto';
import {chmod, readdir, readFile, rm, stat} from 'node:fs/promises';
import path from 'node:path';
import {describe, expect, test} from 'vitest';
import {startPeer, startServer} from '../helpers/network.ts';
import {programFile, runProgram, startProgram} from '../helpers/program.ts';
import {tempFolder} from '../helpers/temp-folder.ts';
import {startPty} from '../helpers/tui-pty.ts';
import {waitFor} from '../helpers/wait-for.ts';

describe('a server whose key changed', () => {
	test('is accepted by the command that the error names, and only with the ID that it shows', async () => {
		const folder = await tempFolder();
		const me = path.join(folder, 'me');
		const first = await startServer({dataDir: path.join(folder, 'first')});
		const peers = () => runProgram(['peers', '--server', first.address, '--data-dir', me]);
		expect((await peers()).code).toBe(0);
		await first.stop();
		const second = await startServer({port: first.port, dataDir: path.join(folder, 'second')});
		const refused = await peers();
		expect(refused.code).toBe(6);
		for (const id of [first.id, second.id]) expect(refused.stderr).toContain(id);
		const [, advised] = /p2p-tui (trust \S+ [0-9a-f]{64})/.exec(refused.stderr) ?? [];
		expect(advised).toBe(`trust ${first.address} ${second.id}`);

		const trust = (...args: string[]) => runProgram(['trust', ...args, '--data-dir', me]);
		const wrong = await trust(first.address, first.id);
		expect([wrong.code, wrong.stderr]).toEqual([6, expect.stringContaining(second.id)]);
		const unasked = await trust(first.address);
		expect([unasked.code, unasked.stderr]).toEqual([2, expect.stringContaining('ID')]);
		expect((await trust(first.address, 'abc')).code).toBe(2);
		expect((await trust()).code).toBe(2);
		expect((await peers()).code).toBe(6);

		const taken = await runProgram([...advised!.split(' '), '--data-dir', me]);
		expect(taken.code, taken.stderr).toBe(0);
		for (const id of [first.id, second.id]) expect(taken.stdout).toContain(id);
		expect((await peers()).code).toBe(0);
		const again = await trust(first.address, second.id, '--json');
		expect(JSON.parse(again.stdout)).toEqual({address: first.address, id: second.id, before: second.id});
	});
});

describe('the key of a data folder', () => {
	test('is shown, moved, and never lost', async () => {
		const folder = await tempFolder();
		const [here, there, key] = [path.join(folder, 'here'), path.join(folder, 'there'), path.join(folder, 'key.pem')];
		const id = async (...args: string[]) => runProgram(['id', ...args]);
		const shown = JSON.parse((await id('--data-dir', here, '--json')).stdout);
		expect(shown).toEqual({id: expect.stringMatching(/^[0-9a-f]{64}$/), mode: 'peer', dataDir: here});
		expect((await id('--data-dir', here)).stdout).toContain(`peer ID      ${shown.id}\n`);
		expect((await id('--data-dir', here, '--export', key)).code).toBe(0);
		expect((await stat(key)).mode & 0o777).toBe(0o600);
		expect((await id('--data-dir', here, '--export', key)).code).toBe(1);
		const old = JSON.parse((await id('--data-dir', there, '--mode', 'server', '--json')).stdout);
		expect((await id('--data-dir', there, '--import', key)).code).toBe(6);
		expect((await id('--data-dir', there, '--import', key, '--force')).code).toBe(0);
		expect(JSON.parse((await id('--data-dir', there, '--json')).stdout).id).toBe(shown.id);
		expect(old.id).not.toBe(shown.id);
		expect(await readdir(there)).toContain('identity.key.old');
		for (const wrong of [['--import', ''], ['--import', key, '--export', key], ['more'], ['--mode', 'x']])
			expect((await id('--data-dir', there, ...wrong)).code).toBe(2);
	});

	test('is not changed under a running server, which starts under it again', async () => {
		const folder = await tempFolder();
		const key = path.join(folder, 'key.pem');
		expect((await runProgram(['id', '--data-dir', path.join(folder, 'a'), '--export', key])).code).toBe(0);
		const server = await startServer();
		const busy = await runProgram(['id', '--mode', 'server', '--data-dir', server.dataDir, '--import', key, '--force']);
		expect([busy.code, busy.stderr]).toEqual([1, expect.stringContaining('Stop it first')]);
		await server.stop();
		expect((await startServer({dataDir: server.dataDir})).id).toBe(server.id);
	});
});

describe('files at rest', () => {
	test('are for their owner alone, databases and logs too; what was open is mended and told', async () => {
		const server = await startServer();
		const alice = await startPeer({server: server.address, name: 'alice'});
		for (const {dataDir} of [server, alice]) {
			expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
			for (const entry of await readdir(dataDir, {withFileTypes: true})) {
				if (!entry.isFile()) continue;
				expect([entry.name, (await stat(path.join(dataDir, entry.name))).mode & 0o777]).toEqual([entry.name, 0o600]);
			}
		}
		await server.stop();
		await chmod(server.dataDir, 0o755);
		await chmod(path.join(server.dataDir, 'index.db'), 0o644);
		const again = await startServer({dataDir: server.dataDir});
		expect(again.stderr()).toContain('index.db');
		expect((await stat(server.dataDir)).mode & 0o777).toBe(0o700);
	});

	test('are not kept where others can write', async () => {
		const folder = await tempFolder();
		await chmod(folder, 0o777);
		for (const args of [
			['id'],
			['peers', '--server', '0:1'],
			['--mode', 'server', '--headless', '--port', '0', '--host', '0'],
		]) {
			const {code, stderr} = await runProgram([...args, '--data-dir', folder]);
			expect([code, stderr]).toEqual([1, expect.stringContaining('chmod 700')]);
		}
		expect(await readdir(folder)).toEqual([]);
		await chmod(folder, 0o700);
	});
});

describe('servers on this network', () => {
	/** mDNS on loopback, on a port that nobody else has. */
	const network = () => ({P2P_TUI_MDNS: `127.0.0.1:${randomInt(20_000, 60_000)}`});
	const listen = async (env: Record<string, string>, name: string, ...more: string[]) => {
		const dataDir = path.join(await tempFolder(), 'server');
		const args = ['--mode', 'server', '--host', '0', '--port', '0', '--name', name, '--data-dir', dataDir, '--json'];
		const program = startProgram([...args, ...more], {env});
		const {port, id} = await program.event('listening');
		return {...program, address: `127.0.0.1:${port}`, id};
	};

	test('are listed, used when there is one, asked about when there are several, and joined by nobody', async () => {
		const env = network();
		const me = await tempFolder();
		const run = (...args: string[]) => runProgram([...args, '--data-dir', me], {env});
		const one = await listen(env, 'attic');
		await listen(env, 'hidden', '--no-announce');
		const listed = await run('servers', '--json');
		expect(
			listed.stdout
				.trim()
				.split('\n')
				.map(line => JSON.parse(line)),
		).toEqual([
			{id: one.id, address: one.address, name: 'attic', version: expect.any(String), private: false, known: 'new'},
		]);
		const refused = await run('--mode', 'peer', '--headless');
		expect(refused.code).toBe(4);
		expect(refused.stderr).toContain(`p2p-tui --mode peer --server ${one.address}`);

		const used = await run('peers');
		expect(used.code, used.stderr).toBe(0);
		expect(used.stderr).toContain(`attic at ${one.address}`);
		expect((await run('servers')).stdout).toMatch(/^known {4}open/);

		const two = await listen(env, 'cellar');
		const fresh = await runProgram(['peers', '--data-dir', await tempFolder()], {env});
		expect(fresh.code).toBe(4);
		for (const {address} of [one, two]) expect(fresh.stderr).toContain(address);
		expect(fresh.stderr).toContain('--server');
		expect((await run('peers')).code).toBe(0);
		await one.stop();
		await two.stop();
		expect((await run('servers')).code).toBe(3);
	});

	test('a wrong setting is told in one line', async () => {
		const wrong: Array<Record<string, string>> = [{P2P_TUI_ANNOUNCE: 'perhaps'}, {P2P_TUI_MDNS: 'a b'}];
		for (const env of wrong) {
			const {code, stderr} = await runProgram(['servers', '--data-dir', await tempFolder()], {env});
			expect([code, stderr.split('\n').length]).toEqual([2, 2]);
		}
	});
});

test('who is blocked is kept in the config file, beside what else is there', async () => {
	const server = await startServer();
	const alice = await startPeer({server: server.address, name: 'alice'});
	const me = await tempFolder();
	const run = (...args: string[]) => runProgram([...args, '--server', server.address, '--data-dir', me]);
	expect((await run('block', 'alice')).stdout).toContain(alice.id);
	expect((await run('block', 'ABCDEF01')).code).toBe(0);
	expect(JSON.parse(await readFile(path.join(me, 'config.json'), 'utf8'))).toEqual({block: [alice.id, 'abcdef01']});
	expect((await run('block')).stdout).toBe(`${alice.id}\nabcdef01\n`);
	expect((await run('unblock', '1')).code).toBe(0);
	expect((await run('unblock', 'abcdef0123')).code).toBe(0);
	expect((await run('unblock', 'abcdef01')).code).toBe(3);
	expect((await run('block', 'nobody')).code).toBe(3);
	expect((await run('unblock')).code).toBe(2);
});

test('a running peer sends nothing to one that is blocked meanwhile, who is told so', async () => {
	const server = await startServer();
	const alice = await startPeer({server: server.address, name: 'alice'});
	const me = await tempFolder();
	const get = (name: string) =>
		runProgram([
			'get',
			name,
			'--server',
			server.address,
			'--data-dir',
			me,
			'--downloads',
			path.join(me, 'down'),
			'--json',
		]);
	expect((await get('1.txt')).code).toBe(0);
	const {id} = JSON.parse((await runProgram(['id', '--data-dir', me, '--json'])).stdout);
	expect((await runProgram(['block', id.slice(0, 12), '--data-dir', alice.dataDir])).code).toBe(0);
	const refused = await waitFor('the peer to hear of it', async () => {
		const {code, stderr} = await get('2.txt');
		if (code !== 0) return {code, stderr};
		await rm(path.join(me, 'down', 'downloaded_2.txt'));
		return undefined;
	});
	expect(refused.stderr).toContain('alice');
	expect((await runProgram(['unblock', id, '--data-dir', alice.dataDir])).code).toBe(0);
	await waitFor('the peer to be let in again', async () => (await get('2.txt')).code === 0);
});

test('at a terminal a person sees both fingerprints and says yes, or nothing changes', async () => {
	const folder = await tempFolder();
	const me = path.join(folder, 'me');
	const first = await startServer({dataDir: path.join(folder, 'first')});
	expect((await runProgram(['peers', '--server', first.address, '--data-dir', me])).code).toBe(0);
	await first.stop();
	const second = await startServer({port: first.port, dataDir: path.join(folder, 'second')});
	const pins = () => readFile(path.join(me, 'known_servers'), 'utf8');
	const ask = async (answer: string) => {
		const args = [programFile, 'trust', first.address, '--data-dir', me];
		const screen = startPty(process.execPath, args, {columns: 100, rows: 24});
		try {
			await screen.waitFor('Type yes:');
			for (const id of [first.id, second.id]) expect(screen.text()).toContain(id);
			screen.send(`${answer}\r`);
			await screen.waitFor(/Nothing was changed|is trusted/);
		} finally {
			screen.kill('SIGKILL');
		}
	};
	await ask('y');
	expect(await pins()).toContain(first.id);
	await ask('yes');
	expect(await pins()).toContain(second.id);
	expect(await pins()).not.toContain(first.id);
});
