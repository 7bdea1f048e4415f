import type {ChildProcess} from 'node:child_process';
import {spawn} from 'node:child_process';
import {accessSync, constants} from 'node:fs';
import {connect, createServer} from 'node:net';
import path from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import type {Ended} from './measure.ts';

/** What is transferred. */
export type Workload = {
	name: string;
	/** Holds the files and nothing else. */
	folder: string;
	files: string[];
	bytes: number;
};

/** A run of one contestant: its process has ended, and what it fetched is synced and lies in `arrived`. */
export type Run = Ended & {
	/** File or folder. */
	arrived: string;
	/** Seconds between the program's own events of start and end of the transfer, where it tells them. */
	net?: number;
};

/** One way to fetch a workload from a server that runs already. */
export type Contestant = {
	name: string;
	/** What is done to the bytes besides: verified, encrypted. */
	note: string;
	/** Processes of the sending side. */
	servers: readonly ChildProcess[];
	/** What else works for it, such as an index server: its CPU counts, its memory is no sender's. */
	beside?: readonly ChildProcess[];
	/** Fetches into an empty folder. */
	run(into: string): Promise<Run>;
};

/** A rival's sending side, started; or why it cannot take part. */
export type Prepared = {contestants: Contestant[]; stop(): Promise<void>};

/** Makes ready to serve a workload. Resolves to the reason, in words, when the programs for it are absent. */
export type Rival = (workload: Workload, scratch: string) => Promise<Prepared | string>;

/** Where a program lies, when it is installed. */
export function findProgram(name: string): string | undefined {
	for (const folder of [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin']) {
		const file = path.join(folder, name);
		try {
			accessSync(file, constants.X_OK);
			return file;
		} catch {
			// In the next folder, maybe.
		}
	}
	return undefined;
}

/** A port that is free at the moment, for servers that cannot say which one the system gave them. */
export async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
	const address = server.address();
	await new Promise(resolve => server.close(resolve));
	if (!address || typeof address === 'string') throw new Error('no port');
	return address.port;
}

/** Starts a server and waits until it accepts connections. */
export async function startServer(command: string, args: string[], port: number): Promise<ChildProcess> {
	const child = spawn(command, args, {stdio: ['ignore', 'ignore', 'inherit']});
	for (let attempt = 0; attempt < 200; attempt++) {
		if (child.exitCode !== null) break;
		if (await accepts(port)) return child;
		await sleep(25);
	}
	child.kill();
	throw new Error(`${command} did not start`);
}

/** Ends a process that this program started, and waits for it. */
export async function endProcess(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	const ended = new Promise(resolve => child.once('exit', resolve));
	child.kill();
	const kill = setTimeout(() => child.kill('SIGKILL'), 3000);
	await ended;
	clearTimeout(kill);
}

function accepts(port: number): Promise<boolean> {
	return new Promise(resolve => {
		const socket = connect(port, '127.0.0.1');
		socket.once('connect', () => {
			socket.destroy();
			resolve(true);
		});
		socket.once('error', () => resolve(false));
	});
}
