import {describe, expect, test} from 'vitest';
import {findBottleneck, type StageTimes} from '../../source/download/bottleneck.ts';
import type {DownloadSource} from '../../source/download/types.ts';
import {contentOf, downloader, piece, sendBoth, wireSource} from '../helpers/download.ts';
import {someBytes, uploadServer} from '../helpers/upload.ts';
import {waitFor} from '../helpers/wait-for.ts';

const second: StageTimes = {
	...{wall: 1000, lanes: 4, limit: 0, hash: 0, write: 0, threads: 2, bytes: 1e6},
	theirs: {disk: 0, limit: 0, total: 4000},
};

describe('what everything waits for', () => {
	test.each([
		['our-limit', {limit: 3000}],
		['our-disk', {write: 1200, hash: 600}],
		['our-hashing', {write: 300, hash: 1500}],
		['their-limit', {theirs: {disk: 900, limit: 3000, total: 4000}}],
		['their-disk', {theirs: {disk: 3000, limit: 0, total: 4000}}],
		['link', {}],
	])('%s', (stage, change) => {
		expect(findBottleneck({...second, ...change}, {nobody: 'x'})).toMatchObject({stage});
	});

	test('nothing is named as long as no sender has told', () => {
		expect(findBottleneck({...second, theirs: undefined}, {nobody: 'x'})).toBeUndefined();
		expect(findBottleneck({...second, theirs: undefined, limit: 3000}, {})).toMatchObject({stage: 'our-limit'});
	});

	test('nobody sends: a slot of theirs, or a source', () => {
		const idle = {...second, lanes: 0, bytes: 0};
		expect(findBottleneck(idle, {queued: 'queued at bob, place 3'})).toEqual({
			stage: 'their-slot',
			text: 'queued at bob, place 3',
		});
		expect(findBottleneck(idle, {nobody: 'waiting for a source'})).toMatchObject({stage: 'no-source'});
	});
});

describe('a running download names it', () => {
	const file = someBytes(24 * piece);
	const {content, size} = contentOf(file);

	test('our own limit, then the link', async () => {
		const source = await wireSource(file, call => void setTimeout(() => call.answer(), 300));
		const {manager, seen} = await downloader({limit: 500_000});
		const {key} = await manager.add({content, size, name: 'x', sources: [source.source]});
		await waitFor('our limit', () => manager.list()[0]?.bottleneck?.stage === 'our-limit');
		expect(seen('download-progress').at(-1)).toMatchObject({bottleneck: {stage: 'our-limit'}});
		manager.setLimit(undefined);
		await waitFor('another', () => manager.list()[0]?.bottleneck?.stage !== 'our-limit' || manager.counts().done === 1);
		expect(manager.details(key).sources).toMatchObject([{peer: source.source.peer, name: 'mallory'}]);
		await manager.finished(key);
	});

	/** Every stage that is named until the download is finished, in order. */
	async function stagesOf(source: DownloadSource, wanted = file): Promise<(string | undefined)[]> {
		const {manager, events} = await downloader();
		const {content: id, size: length} = contentOf(wanted);
		const {key} = await manager.add({content: id, size: length, name: 'x', sources: [source]});
		await manager.finished(key);
		const stages = events.flatMap(each => (each.event === 'download-progress' ? [each.bottleneck?.stage] : []));
		return stages.filter((stage, i) => stage !== undefined && stage !== stages[i - 1]);
	}

	test('a real sender with a limit: from the first time on, and never the link', async () => {
		const bytes = someBytes(48 * piece);
		const {catalog, identity, port} = await uploadServer({limit: 2_000_000});
		await catalog.write('x', bytes);
		const source = {peer: identity.id, number: 1, name: 'alice', host: '127.0.0.1', port};
		expect(await stagesOf(source, bytes)).toEqual(['their-limit']);
	});

	const timed = (serverTiming: string) =>
		wireSource(file, ({first, end, socket, bytes}) => {
			const lines = [`Content-Length: ${end - first}`, `Content-Range: bytes ${first}-${end - 1}/${file.length}`];
			const head = ['HTTP/1.1 206 OK', ...lines, `Server-Timing: ${serverTiming}`, '', ''].join('\r\n');
			setTimeout(() => socket.destroyed || sendBoth(socket, head, bytes), 800);
		});

	test('a sender with a slow disk', async () => {
		const {source} = await timed('disk;dur=790, limit;dur=0');
		expect((await stagesOf(source))[0]).toBe('their-disk');
	});

	test('neither end: the link', async () => {
		const {source} = await timed('disk;dur=1, limit;dur=0');
		expect((await stagesOf(source))[0]).toBe('link');
	});

	test('their queue', async () => {
		const body = JSON.stringify({code: 'busy', message: 'busy', details: {position: 3}});
		const busy = `HTTP/1.1 503 Busy\r\nRetry-After: 60\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
		const source = await wireSource(file, ({socket}) => void socket.write(busy), {name: 'bob'});
		const {manager} = await downloader({once: false});
		await manager.add({content, size, name: 'x', sources: [source.source]});
		await waitFor('their slot', () => manager.list()[0]?.bottleneck?.stage === 'their-slot');
		expect(manager.list()[0]?.bottleneck?.text).toBe('queued at bob, place 3');
	});
});
