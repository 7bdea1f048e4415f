import {mkdirSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {onTestFinished} from 'vitest';
import {EngineBus, type EngineEvents} from '../../source/core/events.ts';
import {createHashPool, type HashPool} from '../../source/share/hash-pool.ts';
import {createShares, type Shares, type SharesOptions} from '../../source/share/shares.ts';
import {tempFolder} from './temp-folder.ts';

/** Writes files, with their folders, by their paths below `folder`. */
export function writeTree(folder: string, files: Record<string, string | Buffer>): void {
	for (const [name, content] of Object.entries(files)) {
		const file = path.join(folder, name);
		mkdirSync(path.dirname(file), {recursive: true});
		writeFileSync(file, content);
	}
}

/** A folder with these files, and an empty data folder, both removed when the test ends. */
export async function makeShare(name: string, files: Record<string, string | Buffer>) {
	const place = await tempFolder();
	const folder = path.join(place, name);
	mkdirSync(folder);
	writeTree(folder, files);
	return {folder, dataDir: path.join(place, 'data')};
}

/** Started shares with all they told. */
export type World = {
	shares: Shares;
	/** Base names of the files that were given to the hash pool. */
	hashed: string[];
	logs: EngineEvents['log'][];
	scans: EngineEvents['scan'][];
	/** Paths in the catalog, sorted. */
	paths: () => string[];
	stop: () => Promise<void>;
};

/** Opens shares over a real hash pool and starts them; they stop when the test ends, or before by `stop`. */
export async function startShares(options: Omit<SharesOptions, 'bus' | 'hashPool'>): Promise<World> {
	const bus = new EngineBus();
	const logs: EngineEvents['log'][] = [];
	const scans: EngineEvents['scan'][] = [];
	bus.on('log', line => logs.push(line));
	bus.on('scan', totals => scans.push(totals));
	const pool = createHashPool({threads: 2});
	onTestFinished(() => pool.close());
	const hashed: string[] = [];
	const counting: HashPool = {
		concurrency: pool.concurrency,
		hash: (file, how) => {
			hashed.push(path.basename(file));
			return pool.hash(file, how);
		},
		close: () => pool.close(),
	};
	const shares = createShares({...options, bus, hashPool: counting});
	onTestFinished(() => shares.stop());
	await shares.start();
	return {
		...{shares, hashed, logs, scans},
		paths: () => [...shares.catalog.entries()].map(entry => entry.path).sort(),
		stop: async () => {
			await shares.stop();
			await pool.close();
		},
	};
}
