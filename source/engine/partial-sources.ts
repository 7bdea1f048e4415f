import {limits} from '../api/limits.ts';
import type {DownloadManager} from '../download/manager.ts';
import type {IndexClient} from '../index/client.ts';

/** How often it is looked whether there is something new to tell, in milliseconds. */
const tellMs = 500;

/**
 * Keeps telling the index servers of which contents there are verified pieces here, so that others fetch them from this
 * peer while it is still downloading.
 *
 * @returns what ends it
 */
export function announcePartials(
	downloads: Pick<DownloadManager, 'partials'>,
	servers: readonly Pick<IndexClient, 'setPartials'>[],
): () => void {
	let told = '';
	const tell = () => {
		const contents = downloads
			.partials()
			.slice(0, limits.partialsPerPeer)
			.map(({content, size}) => ({content, size}));
		const set = contents
			.map(({content}) => content)
			.toSorted()
			.join();
		if (set === told) return;
		told = set;
		for (const server of servers) server.setPartials(contents);
	};
	const timer = setInterval(tell, tellMs);
	return () => clearInterval(timer);
}
