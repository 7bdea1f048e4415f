import {Readable} from 'node:stream';
import {setTimeout as sleep} from 'node:timers/promises';
import {constants, gzipSync, zstdCompressSync} from 'node:zlib';
import {expect, test} from 'vitest';
import {readCatalogStream} from '../../source/index/catalog-stream.ts';
import type {UploadCounts} from '../../source/index/check-change.ts';

const files = 100_000;
/** Names that are hard to compress, so that compressed bytes tell how much was read as well. */
const line = (index: number) => {
	const content = BigInt(index + 1)
		.toString(16)
		.padStart(64, '0');
	const name = ((index * 2654435761) % 2 ** 32).toString(36);
	return `${JSON.stringify({op: 'add', path: `music/${name}/${index}.flac`, size: 1000 + index, content})}\n`;
};
const lines = Buffer.from(Array.from({length: files}, (_, index) => line(index)).join(''));
const fast = {params: {[constants.ZSTD_c_compressionLevel]: 1}};

test.each([
	['as it is', undefined, lines],
	['in gzip', 'gzip', gzipSync(lines, {level: 1})],
	['in zstd', 'zstd', zstdCompressSync(lines, fast)],
])(
	'no more of an upload %s is taken in than the index can take: the rest waits at the sender',
	async (_, encoding, bytes) => {
		let sent = 0;
		const piece = 16 * 1024;
		const body = new Readable({
			highWaterMark: piece,
			read() {
				const next = bytes.subarray(sent, sent + piece);
				sent += next.length;
				this.push(next.length > 0 ? next : null);
			},
		});
		const counts: UploadCounts = {rejected: [], rejectedCount: 0, added: 0, removed: 0};
		let taken = 0;
		let most = 0;
		for await (const batch of readCatalogStream(body, encoding, counts)) {
			taken += batch.length;
			// Whoever reads on by itself gets the time to do so.
			await sleep(taken < 20_000 ? 10 : 0);
			most = Math.max(most, sent / bytes.length - taken / files);
		}
		expect({taken, ...counts}).toEqual({taken: files, rejected: [], rejectedCount: 0, added: files, removed: 0});
		// A few pieces, and what a decompressor has of them, of more than ten megabytes.
		expect(most).toBeLessThan(0.2);
		expect(most).toBeGreaterThan(0);
	},
);
