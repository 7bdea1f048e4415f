// Peers of a network without a server, as processes of the built program, on loopback only.
import path from 'node:path';
import type {Node} from '../helpers/network.ts';
import {runProgram, startProgram, testingFiles} from '../helpers/program.ts';
import {tempFolder} from '../helpers/temp-folder.ts';

/** A peer with its place in the table. */
export type DhtPeer = Node & {/** Of its UDP port, for --bootstrap. */ node: string};

/** Starts a peer with --dht and waits until everything it shares is in the table. */
export async function startDhtPeer(options: {
	name: string;
	bootstrap?: string[];
	shares?: string[];
	dataDir?: string;
	port?: number;
	args?: string[];
	env?: Record<string, string>;
}): Promise<DhtPeer> {
	const dataDir = options.dataDir ?? path.join(await tempFolder(), options.name);
	const program = startProgram(
		[
			...['--mode', 'peer', '--dht', '--host', '0', '--port', String(options.port ?? 0), '--name', options.name],
			...['--data-dir', dataDir, '--downloads', path.join(dataDir, 'downloads'), '--json'],
			...(options.shares ?? [testingFiles]).flatMap(share => ['--share', share]),
			...(options.bootstrap ?? []).flatMap(node => ['--bootstrap', node]),
			...(options.args ?? []),
		],
		{env: options.env},
	);
	const listening = await program.event('listening');
	const joined = await program.event('dht-joined');
	const scanned = await program.event('scan', event => event.done === true);
	await program.event(
		'registered',
		event => String(event.server).startsWith('DHT') && Number(event.files) >= Number(scanned.files),
	);
	const node = `127.0.0.1:${joined.port}`;
	return {...program, port: Number(listening.port), id: String(listening.id), dataDir, node};
}

/** Runs one-shot commands of a user of their own in such a network. */
export async function dhtUser(bootstrap: string, env?: Record<string, string>) {
	const cwd = await tempFolder();
	const flags = ['--dht', '--host', '0', '--bootstrap', bootstrap, '--data-dir', path.join(cwd, 'me')];
	const run = (command: string, ...args: string[]) => runProgram([command, ...flags, ...args], {cwd, env});
	const lines = async (command: string, ...args: string[]) => {
		const {stdout, stderr, code} = await run(command, '--json', ...args);
		if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${stderr}`);
		return stdout
			.trim()
			.split('\n')
			.filter(line => line !== '')
			.map(line => JSON.parse(line) as Record<string, unknown>);
	};
	return {cwd, run, lines};
}
