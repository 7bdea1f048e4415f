// Run as a process of its own by download-process.ts. Arguments: JSON as there. Prints one JSON line per event; ends with
// `finished` or `failed`.
import {EngineBus} from '../../source/core/events.ts';
import {createDownloadManager} from '../../source/download/manager.ts';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import type {ChildSettings} from './download-process.ts';

const {database, folder, request, limit} = JSON.parse(process.argv[2] ?? '') as ChildSettings;
const print = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const bus = new EngineBus();
bus.on('download-progress', event => print({event: 'progress', ...event}));
bus.on('log', event => print({event: 'log', ...event}));
const identity = await temporaryIdentity();
const manager = createDownloadManager({
	...{identity, bus, database, folder, prefix: 'downloaded_', once: true, limit},
	findSources: async () => [],
});
try {
	await manager.start();
	const {key} = await ('files' in request ? manager.addFolder(request) : manager.add(request));
	print({event: 'finished', ...(await manager.finished(key))});
} catch (error) {
	const {code, message} = error as Error & {code?: string};
	print({event: 'failed', code, message});
}
await manager.stop();
