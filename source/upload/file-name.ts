import filenamify from 'filenamify';
import {displayText} from '../core/display.ts';
import {baseName} from '../core/share-path.ts';

/**
 * `Content-Disposition` that makes curl -OJ and browsers save a file under its own name: `filename*` for those who know
 * RFC 6266, and a plain `filename` in UTF-8 bytes for curl, which does not. The name can neither climb out of a folder,
 * hide itself behind a leading dot, nor break out of the header.
 */
export function contentDisposition(path: string): string {
	const name = safeName(baseName(path));
	return `attachment; filename="${Buffer.from(name).toString('latin1')}"; filename*=UTF-8''${percentEncode(name)}`;
}

function safeName(name: string): string {
	const plain = displayText(name)
		.replaceAll('\ufffd', '_')
		.replace(/^\.+/, dots => '_'.repeat(dots.length));
	return filenamify(plain, {replacement: '_', maxLength: 255});
}

/** RFC 8187: what `encodeURIComponent` leaves and `attr-char` does not allow is encoded too. */
function percentEncode(text: string): string {
	return encodeURIComponent(text).replace(
		/['()*]/g,
		character => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
	);
}
