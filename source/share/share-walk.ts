import {setImmediate as nextTurn} from 'node:timers/promises';
import {displayText} from '../core/display.ts';
import {pathIn} from '../core/share-path.ts';
import type {CatalogWriter, KnownFile} from './catalog.ts';
import type {FolderContents, FolderReader} from './folder-reader.ts';
import {type OnSkip, readEntry, type ScanRules} from './scan.ts';
import type {ShareFiles} from './share-files.ts';
import type {FolderWatcher} from './watch.ts';

/** A folder to be read, with the identities of the folders above it, so that a loop of mounts ends. */
type Visit = {rel: string; lineage: Lineage};
type Lineage = {identity: string; above: Lineage} | undefined;

/** Entries gone through between two turns of the event loop. */
const step = 100;
/** Folders read at once. */
const parallelFolders = 8;
/** Files of a folder that the catalog gives at once. */
const knownPage = 1000;

/** What {@link ShareWalk} needs. */
export type ShareWalkOptions = {
	rules: ScanRules;
	/** Number of the share's top folder in the catalog. */
	root: number;
	catalog: CatalogWriter;
	files: ShareFiles;
	reader: FolderReader;
	watcher: () => FolderWatcher;
	onSkip: OnSkip;
};

/** Goes through the folders of one share and brings the catalog in line with each. Its calls must not overlap. */
export class ShareWalk {
	readonly #options: ShareWalkOptions;
	#visits: Visit[] = [];

	constructor(options: ShareWalkOptions) {
		this.#options = options;
	}

	/** Whether every folder that is to be read has been. */
	get isDone(): boolean {
		return this.#visits.length === 0;
	}

	/** Goes through the whole share from now on. @param identity of its top folder; undefined: nothing any more */
	restart(identity: string | undefined): void {
		this.#visits = identity === undefined ? [] : [{rel: '', lineage: {identity, above: undefined}}];
	}

	/** Reads the next few folders. Each is watched before it is read, so that what happens later is told. */
	async step(isStopped: () => boolean): Promise<void> {
		const visits = this.#visits.splice(-parallelFolders);
		for (const {rel} of visits) this.#options.watcher().add(rel);
		const {reader, rules, onSkip} = this.#options;
		const contents = await Promise.all(visits.map(({rel}) => reader.read(rules, rel, onSkip)));
		for (const [i, visit] of visits.entries()) {
			if (isStopped()) return;
			await this.#compare(visit, contents[i]!);
		}
	}

	/** Looks at the entries that something happened to; at the whole folder when it is not known to which. */
	async look(rel: string, names: Set<string> | undefined): Promise<void> {
		const {rules, catalog, files, watcher, onSkip} = this.#options;
		const folder = this.#folderAt(rel);
		if (folder === undefined) return;
		if (!names) return void this.#visits.push({rel, lineage: undefined});
		const pace = pacer();
		for (const name of names) {
			const entry = await readEntry(rules, rel, name, onSkip);
			const knownFolder = catalog.findFolder(folder, name);
			if (knownFolder !== undefined && entry.type !== 'folder') {
				watcher().remove(pathIn(rel, name));
				await files.folderGone(pathIn(rel, name), knownFolder);
			}
			const knownFile = catalog.file(folder, name);
			if (entry.type === 'file') files.found(rel, folder, entry.file, knownFile, Date.now());
			else files.gone(rel, name, knownFile);
			// Loops of mounts are what a scan finds; below a new folder they end after one round.
			if (entry.type === 'folder') this.#enter(rel, folder, name, entry.folder.identity, undefined);
			await pace();
		}
	}

	async #compare({rel, lineage}: Visit, contents: FolderContents): Promise<void> {
		if (contents.outcome === 'unknown') return;
		const {catalog, files, watcher} = this.#options;
		// It may have been removed since it was put on the list.
		const folder = this.#folderAt(rel);
		if (folder === undefined) return;
		const known = await this.#knownFiles(folder);
		const pace = pacer();
		for (const file of contents.files) {
			files.found(rel, folder, file, known.get(file.name), 0);
			known.delete(file.name);
			await pace();
		}
		for (const file of known.values()) {
			files.gone(rel, file.name, file);
			await pace();
		}
		const folders = new Map(contents.folders.map(each => [each.name, each.identity]));
		for (const child of catalog.folders(folder)) {
			if (folders.has(child.name)) continue;
			watcher().remove(pathIn(rel, child.name));
			await files.folderGone(pathIn(rel, child.name), child.id);
		}
		for (const [name, identity] of folders) {
			this.#enter(rel, folder, name, identity, lineage);
			await pace();
		}
	}

	async #knownFiles(folder: number): Promise<Map<string, KnownFile>> {
		const known = new Map<string, KnownFile>();
		for (let after = ''; ; await nextTurn()) {
			const page = this.#options.catalog.filesIn(folder, after, knownPage);
			for (const file of page) known.set(file.name, file);
			if (page.length < knownPage) return known;
			after = page[page.length - 1]!.name;
		}
	}

	#enter(rel: string, folder: number, name: string, identity: string, lineage: Lineage): void {
		const {rules, catalog, onSkip} = this.#options;
		for (let at = lineage; at; at = at.above) {
			if (at.identity !== identity) continue;
			onSkip(
				`Not shared, since it leads back to a folder above it: ${displayText(`${rules.root}/${pathIn(rel, name)}`)}`,
			);
			return;
		}
		catalog.childFolder(folder, name);
		this.#visits.push({rel: pathIn(rel, name), lineage: {identity, above: lineage}});
	}

	#folderAt(rel: string): number | undefined {
		let folder: number | undefined = this.#options.root;
		for (const name of rel === '' ? [] : rel.split('/')) {
			if (folder !== undefined) folder = this.#options.catalog.findFolder(folder, name);
		}
		return folder;
	}
}

/** Lets the event loop turn after every few calls. */
function pacer(): () => Promise<void> | undefined {
	let count = 0;
	return () => (++count % step === 0 ? nextTurn() : undefined);
}
