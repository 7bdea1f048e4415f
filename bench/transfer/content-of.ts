import {createReadStream} from 'node:fs';
import {stat} from 'node:fs/promises';
import {contentOfPieceLayer, PieceLayerHasher} from '../../source/content/content-hasher.ts';
import {blockSize} from '../../source/content/content-id.ts';

/** The content ID of a file. */
export async function contentOf(file: string): Promise<string> {
	const {size} = await stat(file);
	const hasher = new PieceLayerHasher(size);
	for await (const run of createReadStream(file, {highWaterMark: 64 * blockSize}) as AsyncIterable<Buffer>)
		hasher.update(run);
	return contentOfPieceLayer(hasher.finish(), size).content;
}
