import {writeFile} from 'node:fs/promises';
import path from 'node:path';
import {endProcess, findProgram, freePort, type Rival, startServer} from './contestant.ts';
import {runMeasured} from './measure.ts';

/** scp from a server of our own on loopback, with keys made for this run: nothing of the person's SSH is read. */
export const scp: Rival = async ({folder, files}, scratch) => {
	const [client, server, keygen] = [findProgram('scp'), findProgram('sshd'), findProgram('ssh-keygen')];
	if (!client || !server || !keygen) return 'scp: OpenSSH server and client are not both installed';
	const [hostKey, userKey, config] = ['host-key', 'user-key', 'sshd.conf'].map(name => path.join(scratch, name));
	for (const key of [hostKey!, userKey!]) await runMeasured(keygen, ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
	const settings = {
		...{HostKey: hostKey, AuthorizedKeysFile: `${userKey}.pub`, PidFile: 'none', ListenAddress: '127.0.0.1'},
		...{
			StrictModes: 'no',
			UsePAM: 'no',
			PermitRootLogin: 'prohibit-password',
			Subsystem: 'sftp internal-sftp',
			LogLevel: 'QUIET',
		},
	};
	await writeFile(
		config!,
		Object.entries(settings)
			.map(([key, value]) => `${key} ${value}\n`)
			.join(''),
	);
	const port = await freePort();
	const daemon = await startServer(server, ['-D', '-e', '-f', config!, '-p', String(port)], port).catch(
		() => undefined,
	);
	if (!daemon) return 'scp: sshd does not start here';
	const what = files.length > 1 ? folder : path.join(folder, files[0]!);
	const options = ['-F', 'none', '-i', userKey!, '-P', String(port), '-o', 'StrictHostKeyChecking=no'];
	const quiet = ['-q', '-r', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'LogLevel=ERROR'];
	return {
		contestants: [
			{
				name: 'scp',
				note: 'SSH, not verified',
				servers: [daemon],
				async run(into) {
					const script = `"$@" && find '${into}' -type f -exec sync {} +`;
					const args = [client, ...options, ...quiet, `127.0.0.1:${what}`, into];
					const ended = await runMeasured('sh', ['-c', script, 'sh', ...args]);
					return {...ended, arrived: path.join(into, path.basename(what))};
				},
			},
		],
		stop: () => endProcess(daemon),
	};
};
