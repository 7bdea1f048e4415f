// `npm run stress [kills] [MiB]`: a real `p2p-tui get` is killed at random instants, again and again, while it fetches
// from a real peer. The file must come out right, and hardly more may be sent than it has bytes: at each kill only what
// was on its way is lost. Needs the build in dist/.
import {type ChildProcess, spawn} from 'node:child_process';
import {createHash, randomBytes} from 'node:crypto';
import {createReadStream, existsSync} from 'node:fs';
import {cp, mkdir, mkdtemp, open, rm, symlink} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {createInterface} from 'node:readline';
import {fileURLToPath} from 'node:url';

const kills = Number(process.argv[2] ?? 100);
const size = Number(process.argv[3] ?? 1024) * 2 ** 20;
/** On its way at a kill: what the connections hold, and a piece of each that is not complete. */
const lostAtMost = 32 * 2 ** 20;
const built = fileURLToPath(new URL('../dist', import.meta.url));

type Line = {
	event?: string;
	port?: number;
	bytes?: number;
	files?: number;
	path?: string;
	code?: string;
	message?: string;
};

function run(args: string[], onLine: (line: Line) => void): ChildProcess {
	const child = spawn(process.execPath, [program, ...args, '--json'], {stdio: ['ignore', 'pipe', 'ignore']});
	createInterface({input: child.stdout!}).on('line', text => onLine(JSON.parse(text) as Line));
	return child;
}

async function hashOf(file: string): Promise<string> {
	const hash = createHash('sha256');
	for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
	return hash.digest('hex');
}

if (!existsSync(built)) throw new Error('Build first: npm run build');
const root = await mkdtemp(path.join(tmpdir(), 'p2p-tui-stress-'));
// A copy, so that a build meanwhile does not count as a failure.
const program = path.join(root, 'dist', 'p2p-tui.js');
await cp(built, path.dirname(program), {recursive: true});
await cp(path.join(built, '..', 'package.json'), path.join(root, 'package.json'));
await symlink(path.join(built, '..', 'node_modules'), path.join(root, 'node_modules'));
const children: ChildProcess[] = [];
try {
	const share = path.join(root, 'share');
	await mkdir(share);
	const original = path.join(share, 'big.bin');
	const handle = await open(original, 'w');
	for (let at = 0; at < size; at += 2 ** 20) await handle.write(randomBytes(2 ** 20));
	await handle.close();

	const listening = Promise.withResolvers<number>();
	children.push(
		run(['--mode', 'server', '--host', '0', '--port', '0', '--data-dir', path.join(root, 'server')], line => {
			if (line.event === 'listening') listening.resolve(line.port!);
		}),
	);
	const server = `127.0.0.1:${await listening.promise}`;
	let sent = 0;
	const shared = Promise.withResolvers<void>();
	const where = ['--host', '0', '--port', '0', '--server', server, '--share', share];
	children.push(
		run(['--mode', 'peer', ...where, '--data-dir', path.join(root, 'peer'), '--downloads', root], line => {
			if (line.event === 'registered' && line.files === 1) shared.resolve();
			if (line.event === 'upload-finished' || line.event === 'upload-failed') sent += line.bytes ?? 0;
		}),
	);
	await shared.promise;

	const get = ['get', 'big.bin', '--server', server, '--data-dir', path.join(root, 'get'), '--downloads', root];
	let killed = 0;
	for (;;) {
		const started = Promise.withResolvers<void>();
		let finished: string | undefined;
		let failed: string | undefined;
		// Slow enough that all the kills find it at work.
		const limit = ['--limit-down', String(Math.ceil(size / (kills * 0.5)))];
		const child = run([...get, ...(killed < kills ? limit : [])], line => {
			if (line.event === 'download-started') started.resolve();
			if (line.event === 'download-finished') finished = line.path;
			if (line.event === 'error') failed = `${line.code}: ${line.message}`;
		});
		children.push(child);
		const exit = new Promise<void>(resolve => child.once('exit', () => resolve()));
		if (killed < kills) {
			await Promise.race([started.promise, exit]);
			await new Promise(resolve => setTimeout(resolve, Math.random() * 700));
			child.kill('SIGKILL');
		}
		await exit;
		if (failed !== undefined) throw new Error(`failed with ${failed} after ${killed} kills`);
		if (finished !== undefined) {
			if ((await hashOf(finished)) !== (await hashOf(original))) throw new Error('THE FILE IS WRONG');
			break;
		}
		killed++;
	}
	// The last answers are told when their connections end.
	await new Promise(resolve => setTimeout(resolve, 3000));
	const more = sent - size;
	const perKill = more / Math.max(1, killed);
	process.stdout.write(`right after ${killed} kills; sent ${(more / 2 ** 20).toFixed(1)} MiB more than the file has`);
	process.stdout.write(`, ${(perKill / 2 ** 20).toFixed(2)} MiB a kill\n`);
	if (perKill > lostAtMost) throw new Error(`more than ${lostAtMost / 2 ** 20} MiB a kill`);
} finally {
	for (const child of children) child.kill('SIGKILL');
	await rm(root, {recursive: true, force: true});
}
