// A file over a plain socket, 1,024 bytes at a time on both ends, as textbooks show it.
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import {endProcess, freePort, type Rival, startServer} from './contestant.ts';
import {runMeasured} from './measure.ts';

const script = (name: string) => fileURLToPath(new URL(name, import.meta.url));

export const plainCopy: Rival = async workload => {
	const [name, ...more] = workload.files;
	if (!name || more.length > 0) return 'plain socket copy: one file only';
	const port = await freePort();
	const sender = script('plain-sender.ts');
	const server = await startServer(process.execPath, [sender, path.join(workload.folder, name), String(port)], port);
	return {
		contestants: [
			{
				name: 'plain socket copy, 1,024 bytes',
				note: 'no TLS, not verified',
				servers: [server],
				async run(into) {
					const arrived = path.join(into, name);
					const receiver = script('plain-receiver.ts');
					return {...(await runMeasured(process.execPath, [receiver, arrived, String(port)])), arrived};
				},
			},
		],
		stop: () => endProcess(server),
	};
};
