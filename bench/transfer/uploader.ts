// node uploader.ts FILE SLOTS: a peer's file server with one file, for many-downloaders.ts. Tells its parent the port and
// the content ID; on any message from it, its event loop's delays and its memory.
import {stat} from 'node:fs/promises';
import path from 'node:path';
import {monitorEventLoopDelay} from 'node:perf_hooks';
import {EngineBus} from '../../source/core/events.ts';
import {keepNurserySmall} from '../../source/core/nursery.ts';
import {temporaryIdentity} from '../../source/identity/identity.ts';
import {createUploadServer} from '../../source/upload/upload-server.ts';
import {contentOf} from './content-of.ts';

// As the program does.
keepNurserySmall();
const [file = '', slots] = process.argv.slice(2);
const {size, mtimeNs} = await stat(file, {bigint: true}).then(stats => ({...stats, size: Number(stats.size)}));
const content = await contentOf(file);
const served = {content, path: `bench/${path.basename(file)}`, file, folder: path.dirname(file), size, mtimeNs};
const server = createUploadServer({
	...{identity: await temporaryIdentity(), name: 'bench', version: '0', bus: new EngineBus(), slots: Number(slots)},
	catalog: {
		find: wanted => (wanted === content ? [served] : []),
		partial: () => undefined,
		pieceLayer: () => undefined,
		browse: () => undefined,
		search: () => ({entries: []}),
		totals: () => ({files: 1, bytes: size}),
		changed: () => undefined,
	},
});
const {port} = await server.start({host: '127.0.0.1', port: 0, defaultPort: 0});
const delay = monitorEventLoopDelay({resolution: 1});
delay.enable();
process.on('message', () => {
	const [p50, p99] = [50, 99].map(percent => delay.percentile(percent) / 1e6);
	process.send?.({p50, p99, max: delay.max / 1e6, memory: process.resourceUsage().maxRSS * 1024});
	delay.reset();
});
process.on('disconnect', () => void server.stop());
process.send?.({port, content});
