import {randomBytes} from 'node:crypto';
import {closeSync, openSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {expect, test} from 'vitest';
import {alignedBuffer, DirectWrites, type FileWriter} from '../../source/download/direct-write.ts';
import {WriteLock} from '../../source/download/write-lock.ts';
import {tempFolder} from '../helpers/temp-folder.ts';

const KiB = 1024;

async function withWriter(use: (writer: FileWriter, writes: DirectWrites) => void | Promise<void>): Promise<Buffer> {
	const file = path.join(await tempFolder(), 'file');
	const fd = openSync(file, 'w+');
	const writes = new DirectWrites(new WriteLock());
	const writer = writes.open(fd);
	try {
		await use(writer, writes);
	} finally {
		writer.close();
		closeSync(fd);
	}
	return readFileSync(file);
}

function noise(bytes: number): Buffer {
	const buffer = alignedBuffer(bytes);
	randomBytes(bytes).copy(buffer);
	return buffer;
}

test('whole blocks and a ragged end both arrive', async () => {
	const bytes = noise(256 * KiB + 777);
	const found = await withWriter(writer => writer.write(bytes, bytes.length, 0));
	expect(found.equals(bytes)).toBe(true);
});

test('a buffer that starts amid a page is written all the same, by the cache', async () => {
	const bytes = noise(64 * KiB).subarray(3, 3 + 32 * KiB);
	const found = await withWriter(writer => {
		writer.write(bytes, bytes.length, 0);
		writer.write(bytes, bytes.length, bytes.length);
	});
	expect(found.equals(Buffer.concat([bytes, bytes]))).toBe(true);
});

test('in the background: what cannot be is refused at once, and what can counts as under way until it is there', async () => {
	const bytes = noise(1024 * KiB);
	const found = await withWriter(async (writer, writes) => {
		expect(writer.start(bytes, 100, 0)).toBeUndefined();
		expect(writer.start(bytes, 4 * KiB, 100)).toBeUndefined();
		const all: Promise<void>[] = [];
		let position = 0;
		for (;;) {
			const later = writer.start(bytes, bytes.length, position);
			if (!later) break;
			all.push(later);
			position += bytes.length;
		}
		expect(writes.underWay).toBe(position);
		writer.write(bytes, bytes.length, position);
		await Promise.all(all);
		expect(writes.underWay).toBe(0);
	});
	for (let at = 0; at < found.length; at += bytes.length)
		expect(found.subarray(at, at + bytes.length).equals(bytes)).toBe(true);
});

test.skipIf(process.platform !== 'linux')('a full disk is an error of the background write', async () => {
	const fd = openSync('/dev/full', 'w');
	const writes = new DirectWrites(new WriteLock());
	const writer = writes.open(fd);
	try {
		const bytes = noise(4 * KiB);
		const later = writer.start(bytes, bytes.length, 0);
		const written = async () => later ?? writer.write(bytes, bytes.length, 0);
		await expect(written()).rejects.toMatchObject({code: 'ENOSPC'});
	} finally {
		writer.close();
		closeSync(fd);
	}
});
